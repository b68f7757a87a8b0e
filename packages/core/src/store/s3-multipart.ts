import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { isError, MeiliHaError } from '../errors.ts'
import { deadlineFor } from './deadline.ts'
import type { Part, PartReader } from './part-reader.ts'
import { MAX_PARTS } from './part-size.ts'
import { encryption, request, type S3Target, toBase64, unquote } from './s3-requests.ts'
import { isStored, type Resumable } from './s3-resume.ts'
import type { PutFileOptions, StoredFile } from './store.ts'

/** Parts in flight: enough to fill a fast link, and the bound of the memory an upload takes. */
const IN_FLIGHT = 4

/** What is being uploaded. */
export interface Source {
  /** With the store's prefix. */
  key: string
  /** The first part, read into `buffer` to find out whether it is the only one. */
  first: Part
  buffer: Buffer
  next: PartReader
}

/**
 * Uploads parts and puts them together. Our own loop rather than lib-storage's Upload, for streams
 * as well as files: parts are read into IN_FLIGHT reused buffers, hashed once, each under the
 * retry policy, and a failed upload is gone when this throws.
 * @param resume an unfinished upload of the same key, of which only what is missing is sent.
 */
export async function uploadParts(
  target: S3Target,
  source: Source,
  options: PutFileOptions,
  resume?: Resumable,
): Promise<StoredFile> {
  const upload = resume ?? { uploadId: await begin(target, source.key, options), stored: new Map() }
  try {
    const parts = await sendAll(target, source, upload, options)
    const etag = await complete(target, source.key, upload.uploadId, parts, options)
    const size = parts.reduce((sum, part) => sum + part.size, 0)
    return { etag, size, parts: parts.map((part) => part.sha256) }
  } catch (error) {
    // Nobody else will: unfinished parts cost money and show in no listing of objects.
    await abortUpload(target, source.key, upload.uploadId).catch(() => {})
    throw error
  }
}

interface SentPart extends CompletedPart {
  size: number
  /** Hex. */
  sha256: string
}

/** Four workers, a buffer each; the first failure ends them all. */
async function sendAll(
  target: S3Target,
  source: Source,
  upload: Resumable,
  options: PutFileOptions,
): Promise<SentPart[]> {
  const sent: SentPart[] = []
  const failed = new AbortController()
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])])
  const work = async (buffer: Buffer, first?: Part) => {
    let part = first ?? (await source.next(buffer))
    while (part) {
      sent[part.index] = await sendPart(target, source.key, upload, part, options, signal)
      part = await source.next(buffer)
    }
  }
  const buffers = Array.from({ length: IN_FLIGHT - 1 }, () =>
    Buffer.allocUnsafeSlow(options.partSize),
  )
  const workers = [work(source.buffer, source.first), ...buffers.map((buffer) => work(buffer))]
  for (const worker of workers) worker.catch((error: unknown) => failed.abort(error))
  // All settled before anything is aborted: a part that arrives after the abort would stay behind.
  await Promise.allSettled(workers)
  if (failed.signal.aborted) throw failed.signal.reason
  return sent
}

async function sendPart(
  target: S3Target,
  key: string,
  upload: Resumable,
  { index, bytes }: Part,
  { onPart }: PutFileOptions,
  signal: AbortSignal,
): Promise<SentPart> {
  const PartNumber = index + 1
  if (PartNumber > MAX_PARTS) {
    throw new MeiliHaError('STORE_REFUSED', `${key} needs more than ${MAX_PARTS} parts`)
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const stored = upload.stored.get(PartNumber)
  const same = { PartNumber, size: bytes.length, sha256 }
  if (stored && isStored(stored, bytes, sha256)) {
    onPart?.({ index, bytes: bytes.length, reused: true })
    return { ...same, ETag: stored.etag, ...(stored.sha256 && { ChecksumSHA256: stored.sha256 }) }
  }
  const where = { Bucket: target.bucket, Key: key, UploadId: upload.uploadId, PartNumber }
  const what = `PUT part ${PartNumber} of s3://${target.bucket}/${key}`
  const timeoutMs = deadlineFor(bytes.length)
  const answer = await target.checksums.try((withChecksum) => {
    const checksum = withChecksum ? { ChecksumSHA256: toBase64(sha256) } : {}
    const input = { ...where, ...checksum, Body: bytes, ContentLength: bytes.length }
    return request(target, { what, timeoutMs, signal }, (abort) =>
      target.client.send(new UploadPartCommand(input), abort),
    )
  })
  onPart?.({ index, bytes: bytes.length, reused: false })
  const { ETag, ChecksumSHA256 } = answer
  return { ...same, ...(ETag && { ETag }), ...(ChecksumSHA256 && { ChecksumSHA256 }) }
}

async function begin(target: S3Target, key: string, { signal }: PutFileOptions): Promise<string> {
  const what = `BEGIN upload of s3://${target.bucket}/${key}`
  const { storageClass } = target.options
  const { UploadId } = await target.checksums.try((withChecksum) => {
    const input = {
      ...{ Bucket: target.bucket, Key: key, ContentType: 'application/octet-stream' },
      ...(withChecksum && { ChecksumAlgorithm: 'SHA256' as const }),
      ...(storageClass && { StorageClass: storageClass }),
      ...encryption(target.options),
    }
    return request(target, { what, signal }, (abort) =>
      target.client.send(new CreateMultipartUploadCommand(input), abort),
    )
  })
  if (!UploadId) throw new MeiliHaError('STORE_REFUSED', `${what}: the answer has no UploadId`)
  return UploadId
}

/** Putting 10,000 parts together takes a store its time; it sends nothing meanwhile. */
const COMPLETE_MS = 120_000

async function complete(
  target: S3Target,
  key: string,
  uploadId: string,
  sent: SentPart[],
  { signal }: PutFileOptions,
): Promise<string> {
  const what = `COMPLETE upload of s3://${target.bucket}/${key}`
  const where = { Bucket: target.bucket, Key: key }
  const Parts = sent.map(({ size: _size, sha256: _sha256, ...part }) => part)
  const input = { ...where, UploadId: uploadId, MultipartUpload: { Parts } }
  try {
    const { ETag } = await request(target, { what, timeoutMs: COMPLETE_MS, signal }, (abort) =>
      target.client.send(new CompleteMultipartUploadCommand(input), abort),
    )
    return unquote(ETag)
  } catch (error) {
    // The first answer may have been lost: then the upload is gone because the object is there.
    if (!isError(error, 'STORE_NOT_FOUND')) throw error
    const head = await request(target, { what, signal }, (abort) =>
      target.client.send(new HeadObjectCommand({ ...where, ChecksumMode: 'ENABLED' }), abort),
    ).catch(() => undefined)
    if (!head || !isMadeOf(sent, head)) throw error
    return unquote(head.ETag)
  }
}

/** True when an object is these parts put together, as far as the store tells. */
function isMadeOf(
  sent: SentPart[],
  object: { ContentLength?: number | undefined; ChecksumSHA256?: string | undefined },
): boolean {
  const size = sent.reduce((sum, part) => sum + part.size, 0)
  if (object.ContentLength !== size) return false
  if (object.ChecksumSHA256 === undefined) return true
  const composite = createHash('sha256')
  for (const part of sent) composite.update(part.sha256, 'hex')
  return object.ChecksumSHA256.split('-')[0] === composite.digest('base64')
}

export async function abortUpload(target: S3Target, key: string, uploadId: string): Promise<void> {
  const what = `ABORT upload of s3://${target.bucket}/${key}`
  const input = { Bucket: target.bucket, Key: key, UploadId: uploadId }
  try {
    await request(target, { what }, (abort) =>
      target.client.send(new AbortMultipartUploadCommand(input), abort),
    )
  } catch (error) {
    if (!isError(error, 'STORE_NOT_FOUND')) throw error
  }
}
