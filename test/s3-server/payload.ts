import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { crc32 } from 'node:zlib'
import { S3Error } from './s3-error.ts'

/** Base64 digests that S3 keeps beside an object. */
export interface Digests {
  sha256: string
  crc32: string
}

export function digestsOf(body: Buffer): Digests {
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(body))
  return {
    sha256: createHash('sha256').update(body).digest('base64'),
    crc32: crc.toString('base64'),
  }
}

/**
 * The content of a request's body, with everything checked that its headers or trailers claim:
 * the signed payload hash, Content-MD5, SHA-256 and CRC32 checksums.
 * @throws S3Error BadDigest, XAmzContentSHA256Mismatch.
 */
export function checkPayload(headers: IncomingHttpHeaders, raw: Buffer): Buffer {
  const declared = String(headers['x-amz-content-sha256'])
  const streamed = declared.startsWith('STREAMING-')
  if (streamed && declared !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
    throw new S3Error(501, 'NotImplemented', declared)
  }
  const { body, trailers } = streamed ? decodeChunks(raw) : { body: raw, trailers: {} }
  const digests = digestsOf(body)
  if (/^[0-9a-f]{64}$/.test(declared)) {
    const actual = Buffer.from(digests.sha256, 'base64').toString('hex')
    if (actual !== declared) throw new S3Error(400, 'XAmzContentSHA256Mismatch')
  }
  const claims: Record<string, unknown> = { ...headers, ...trailers }
  const md5 = claims['content-md5']
  if (md5 && md5 !== createHash('md5').update(body).digest('base64')) {
    throw new S3Error(400, 'BadDigest')
  }
  for (const name of ['sha256', 'crc32'] as const) {
    const claim = claims[`x-amz-checksum-${name}`]
    if (claim && claim !== digests[name]) throw new S3Error(400, 'BadDigest')
  }
  return body
}

/** `aws-chunked` without signatures: `<hex size>\r\n<bytes>\r\n … 0\r\n<trailers>\r\n`. */
function decodeChunks(raw: Buffer): { body: Buffer; trailers: Record<string, string> } {
  const pieces: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = raw.indexOf('\r\n', at)
    const size = Number.parseInt(raw.toString('latin1', at, lineEnd), 16)
    if (lineEnd < 0 || Number.isNaN(size)) throw new S3Error(400, 'IncompleteBody')
    at = lineEnd + 2
    if (size === 0) break
    pieces.push(raw.subarray(at, at + size))
    at += size + 2
  }
  const lines = raw.toString('latin1', at).split('\r\n').filter(Boolean)
  const trailers = Object.fromEntries(lines.map((line) => line.split(/: ?/, 2) as [string, string]))
  return { body: Buffer.concat(pieces), trailers }
}
