import { createHash } from 'node:crypto'
import {
  ListMultipartUploadsCommand,
  type ListMultipartUploadsOutput,
  ListPartsCommand,
  type ListPartsOutput,
} from '@aws-sdk/client-s3'
import { isError } from '../errors.ts'
import { request, type S3Target, toBase64, unquote } from './s3-requests.ts'

/** A part that the store already holds. */
export interface StoredPart {
  size: number
  etag: string
  /** Base64 SHA-256, where the store keeps it. */
  sha256: string | undefined
}

/** An upload to go on with; `stored` by part number, which counts from 1. */
export interface Resumable {
  uploadId: string
  stored: Map<number, StoredPart>
}

/**
 * Every unfinished upload whose full key starts with `prefix`. MinIO answers only where that is a
 * whole key: resuming works there, a sweep sees nothing (it drops stale uploads itself, after a day).
 */
export async function listUploads(target: S3Target, prefix: string, signal?: AbortSignal) {
  const what = `LIST uploads of s3://${target.bucket}/${prefix}`
  const found: { key: string; uploadId: string; initiated: number }[] = []
  let markers: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
  while (markers) {
    const input = { Bucket: target.bucket, Prefix: prefix, ...markers }
    const page: ListMultipartUploadsOutput = await request(target, { what, signal }, (abort) =>
      target.client.send(new ListMultipartUploadsCommand(input), abort),
    )
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined) continue
      found.push({ key: Key, uploadId: UploadId, initiated: Initiated?.getTime() ?? 0 })
    }
    markers =
      page.IsTruncated && page.NextKeyMarker !== undefined
        ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker ?? '' }
        : undefined
  }
  return found
}

/**
 * The newest unfinished upload of a key with its parts: what a killed uploader left. Undefined
 * when there is none, or when this one may not look (resuming is a saving, not a need).
 */
export async function findResumable(
  target: S3Target,
  key: string,
  signal?: AbortSignal,
): Promise<Resumable | undefined> {
  try {
    const uploads = (await listUploads(target, key, signal)).filter((upload) => upload.key === key)
    const newest = uploads.toSorted((a, b) => b.initiated - a.initiated)[0]
    if (!newest) return undefined
    const stored = await listParts(target, key, newest.uploadId, signal)
    return { uploadId: newest.uploadId, stored }
  } catch (error) {
    if (isError(error, 'STORE_DENIED', 'STORE_REFUSED', 'STORE_NOT_FOUND')) return undefined
    throw error
  }
}

async function listParts(target: S3Target, key: string, uploadId: string, signal?: AbortSignal) {
  const what = `LIST parts of s3://${target.bucket}/${key}`
  const parts = new Map<number, StoredPart>()
  let marker: string | undefined = ''
  while (marker !== undefined) {
    const input = {
      ...{ Bucket: target.bucket, Key: key, UploadId: uploadId },
      ...(marker !== '' && { PartNumberMarker: marker }),
    }
    const page: ListPartsOutput = await request(target, { what, signal }, (abort) =>
      target.client.send(new ListPartsCommand(input), abort),
    )
    for (const { PartNumber, Size, ETag, ChecksumSHA256 } of page.Parts ?? []) {
      if (PartNumber === undefined || Size === undefined) continue
      parts.set(PartNumber, { size: Size, etag: unquote(ETag), sha256: ChecksumSHA256 })
    }
    marker = page.IsTruncated ? page.NextPartNumberMarker : undefined
  }
  return parts
}

/**
 * True when the store holds exactly these bytes as this part. Where it keeps no SHA-256, an ETag
 * that is the MD5 says so too; where the ETag is something else, the part is sent again.
 */
export function isStored(stored: StoredPart | undefined, bytes: Buffer, sha256: string): boolean {
  if (!stored || stored.size !== bytes.length) return false
  if (stored.sha256 !== undefined) return stored.sha256 === toBase64(sha256)
  return stored.etag === createHash('md5').update(bytes).digest('hex')
}
