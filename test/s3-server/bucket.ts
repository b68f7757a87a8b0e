import { createHash, randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type Digests, digestsOf } from './payload.ts'
import { S3Error } from './s3-error.ts'

export interface StoredObject {
  body: Buffer
  etag: string
  /** As sent with the object; composite (`…-N`) for a multipart one. */
  sha256?: string | undefined
  headers: Record<string, string>
}

interface StoredPart {
  body: Buffer
  etag: string
  digests: Digests
}

export interface Upload {
  key: string
  initiated: Date
  /** Keeps a SHA-256 of every part. */
  checksums: boolean
  headers: Record<string, string>
  parts: Map<number, StoredPart>
}

/** S3 takes no part below this but the last. */
const SMALLEST_PART = 5 * 1024 * 1024

const md5 = (data: Buffer) => createHash('md5').update(data).digest()

/** The content of one bucket. Nothing here awaits: each operation is atomic. */
export class Bucket {
  readonly objects = new Map<string, StoredObject>()
  readonly uploads = new Map<string, Upload>()

  get(key: string): StoredObject {
    const object = this.objects.get(key)
    if (!object) throw new S3Error(404, 'NoSuchKey')
    return object
  }

  put(key: string, body: Buffer, headers: IncomingHttpHeaders): StoredObject {
    this.#check(key, headers)
    const sent = headers['x-amz-checksum-sha256'] !== undefined
    const sha256 = sent ? digestsOf(body).sha256 : undefined
    const object = { body, etag: md5(body).toString('hex'), sha256, headers: kept(headers) }
    this.objects.set(key, object)
    return object
  }

  #check(key: string, headers: IncomingHttpHeaders): void {
    const current = this.objects.get(key)
    const { 'if-match': match, 'if-none-match': noneMatch } = headers
    if (noneMatch === '*' && current) throw new S3Error(412, 'PreconditionFailed')
    if (match !== undefined && !current) throw new S3Error(404, 'NoSuchKey')
    if (match !== undefined && match.replaceAll('"', '') !== current?.etag) {
      throw new S3Error(412, 'PreconditionFailed')
    }
  }

  begin(key: string, headers: IncomingHttpHeaders): string {
    const uploadId = randomUUID()
    const checksums = headers['x-amz-checksum-algorithm'] === 'SHA256'
    const entry = { key, initiated: new Date(), checksums, headers: kept(headers) }
    this.uploads.set(uploadId, { ...entry, parts: new Map() })
    return uploadId
  }

  upload(key: string, uploadId: string): Upload {
    const upload = this.uploads.get(uploadId)
    if (upload?.key !== key) throw new S3Error(404, 'NoSuchUpload')
    return upload
  }

  putPart(key: string, uploadId: string, number: number, body: Buffer): StoredPart {
    const part = { body, etag: md5(body).toString('hex'), digests: digestsOf(body) }
    this.upload(key, uploadId).parts.set(number, part)
    return part
  }

  complete(
    key: string,
    uploadId: string,
    listed: { number: number; etag: string; sha256?: string }[],
    headers: IncomingHttpHeaders,
  ): StoredObject {
    const upload = this.upload(key, uploadId)
    if (listed.length === 0) throw new S3Error(400, 'MalformedXML')
    const parts = listed.map(({ number, etag, sha256 }, i) => {
      const part = upload.parts.get(number)
      if (!part || part.etag !== etag) throw new S3Error(400, 'InvalidPart')
      if (sha256 !== undefined && sha256 !== part.digests.sha256) {
        throw new S3Error(400, 'InvalidPart')
      }
      if (i > 0 && number <= listed[i - 1]!.number) throw new S3Error(400, 'InvalidPartOrder')
      if (i < listed.length - 1 && part.body.length < SMALLEST_PART) {
        throw new S3Error(400, 'EntityTooSmall')
      }
      return part
    })
    this.#check(key, headers)
    const etags = Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex')))
    const digests = parts.map((part) => Buffer.from(part.digests.sha256, 'base64'))
    const composite = digestsOf(Buffer.concat(digests)).sha256
    const object = {
      body: Buffer.concat(parts.map((part) => part.body)),
      etag: `${md5(etags).toString('hex')}-${parts.length}`,
      sha256: upload.checksums ? `${composite}-${parts.length}` : undefined,
      headers: upload.headers,
    }
    this.objects.set(key, object)
    this.uploads.delete(uploadId)
    return object
  }

  /** Keys after `after` that start with `prefix`, in S3's order (bytes). */
  keys(prefix: string, after: string): string[] {
    const all = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after)
    return all.toSorted((a, b) => (a < b ? -1 : 1))
  }
}

/** The headers of encryption and storage class, that tests look at. */
function kept(headers: IncomingHttpHeaders): Record<string, string> {
  const wanted = /^x-amz-(server-side-encryption|storage-class)/
  const entries = Object.entries(headers).filter(([name]) => wanted.test(name))
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}
