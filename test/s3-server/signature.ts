import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { S3Error } from './s3-error.ts'

export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
}

const sha256 = (data: string) => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest()

/**
 * Checks AWS Signature Version 4 (header form) over the request as it came over the wire.
 * @throws S3Error AccessDenied, InvalidAccessKeyId or SignatureDoesNotMatch.
 */
export function checkSignature(request: IncomingMessage, credentials: Credentials): void {
  const parsed =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    )
  if (!parsed) throw new S3Error(403, 'AccessDenied', 'the request is not signed')
  const [, keyId, day, region, signedHeaders, signature] = parsed as unknown as string[]
  if (keyId !== credentials.accessKeyId) throw new S3Error(403, 'InvalidAccessKeyId')
  const scope = `${day}/${region}/s3/aws4_request`
  const time = String(request.headers['x-amz-date'])
  const canonical = canonicalRequest(request, signedHeaders!.split(';'))
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const dayKey = hmac(`AWS4${credentials.secretAccessKey}`, day!)
  const key = hmac(hmac(hmac(dayKey, region!), 's3'), 'aws4_request')
  if (hmac(key, toSign).toString('hex') !== signature) {
    throw new S3Error(403, 'SignatureDoesNotMatch')
  }
}

function canonicalRequest(request: IncomingMessage, signed: string[]): string {
  const [path = '/', query = ''] = (request.url ?? '/').split('?')
  const pairs = query.split('&').filter((pair) => pair !== '')
  const sorted = pairs.map((pair) => (pair.includes('=') ? pair : `${pair}=`)).toSorted()
  const headers = signed.map((name) => {
    const value = request.headers[name]
    return `${name}:${String(value).trim().replaceAll(/ +/g, ' ')}\n`
  })
  const payload = String(request.headers['x-amz-content-sha256'])
  const lines = [request.method, path, sorted.join('&'), headers.join(''), signed.join(';')]
  return [...lines, payload].join('\n')
}
