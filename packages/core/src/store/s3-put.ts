import { createHash } from 'node:crypto'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { deadlineFor } from './deadline.ts'
import { encryption, request, type S3Target, unquote } from './s3-requests.ts'
import type { PutFileOptions, PutOptions, StoredFile } from './store.ts'

/**
 * Writes an object with one request.
 * @param key with the store's prefix.
 */
export async function putObject(
  target: S3Target,
  key: string,
  body: Buffer,
  options: PutOptions & { storageClass?: S3Target['options']['storageClass'] } = {},
): Promise<{ etag: string }> {
  const { ifNoneMatch, ifMatch, retries, signal, storageClass } = options
  const timeoutMs = options.timeoutMs ?? deadlineFor(body.length)
  const sha256 = createHash('sha256').update(body).digest('base64')
  const { ETag } = await target.checksums.try((withChecksum) => {
    const input = {
      ...{ Bucket: target.bucket, Key: key, Body: body, ContentLength: body.length },
      ...(withChecksum && { ChecksumSHA256: sha256 }),
      ...(ifNoneMatch && { IfNoneMatch: ifNoneMatch }),
      ...(ifMatch !== undefined && { IfMatch: `"${ifMatch}"` }),
      ...(storageClass && { StorageClass: storageClass }),
      ...encryption(target.options),
    }
    const limits = { what: `PUT s3://${target.bucket}/${key}`, timeoutMs, retries, signal }
    return request(target, limits, (abort) =>
      target.client.send(new PutObjectCommand(input), abort),
    )
  })
  return { etag: unquote(ETag) }
}

/** A tarball that fits into one part is one request. */
export async function putOnlyPart(
  target: S3Target,
  key: string,
  bytes: Buffer,
  { onPart, signal }: PutFileOptions,
): Promise<StoredFile> {
  const { storageClass } = target.options
  const { etag } = await putObject(target, key, bytes, {
    ...(signal && { signal }),
    storageClass,
  })
  if (bytes.length > 0) onPart?.({ index: 0, bytes: bytes.length, reused: false })
  const parts = bytes.length > 0 ? [createHash('sha256').update(bytes).digest('hex')] : []
  return { etag, size: bytes.length, parts }
}
