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
import type { Part } from './part-reader.ts'
import { MAX_PARTS } from './part-size.ts'
import { encryption, request, type S3Target, toBase64, unquote } from './s3-requests.ts'
import { isStored, type Resumable } from './s3-resume.ts'
import type { PutFileOptions, StoredFile } from './store.ts'

/** A part as Complete names it, and what a manifest says about it. */
export interface SentPart extends CompletedPart {
  size: number
  /** Hex. */
  sha256: string
}

/** Sends one part, unless the store holds it already. */
export async function sendPart(
  target: S3Target,
  key: string,
  upload: Resumable,
  { index, bytes }: Part,
  { onPart, signal }: PutFileOptions,
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

/** @returns the upload's id. */
export async function begin(
  target: S3Target,
  key: string,
  { signal }: PutFileOptions,
): Promise<string> {
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

/** Puts the parts together: from here on the object exists. */
export async function complete(
  target: S3Target,
  key: string,
  uploadId: string,
  sent: SentPart[],
  { signal }: PutFileOptions,
): Promise<StoredFile> {
  const what = `COMPLETE upload of s3://${target.bucket}/${key}`
  const where = { Bucket: target.bucket, Key: key }
  const Parts = sent.map(({ size: _size, sha256: _sha256, ...part }) => part)
  const input = { ...where, UploadId: uploadId, MultipartUpload: { Parts } }
  const stored = { size: sizeOf(sent), parts: sent.map((part) => part.sha256) }
  try {
    const { ETag } = await request(target, { what, timeoutMs: COMPLETE_MS, signal }, (abort) =>
      target.client.send(new CompleteMultipartUploadCommand(input), abort),
    )
    return { etag: unquote(ETag), ...stored }
  } catch (error) {
    // The first answer may have been lost: then the upload is gone because the object is there.
    if (!isError(error, 'STORE_NOT_FOUND')) throw error
    const head = await request(target, { what, signal }, (abort) =>
      target.client.send(new HeadObjectCommand({ ...where, ChecksumMode: 'ENABLED' }), abort),
    ).catch(() => undefined)
    if (!head || !isMadeOf(sent, head)) throw error
    return { etag: unquote(head.ETag), ...stored }
  }
}

/** True when an object is these parts put together, as far as the store tells. */
function isMadeOf(
  sent: SentPart[],
  object: { ContentLength?: number | undefined; ChecksumSHA256?: string | undefined },
): boolean {
  if (object.ContentLength !== sizeOf(sent)) return false
  if (object.ChecksumSHA256 === undefined) return true
  const composite = createHash('sha256')
  for (const part of sent) composite.update(part.sha256, 'hex')
  return object.ChecksumSHA256.split('-')[0] === composite.digest('base64')
}

function sizeOf(sent: SentPart[]): number {
  return sent.reduce((sum, part) => sum + part.size, 0)
}

/** Gives an upload up, with its parts; none is fine. */
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
