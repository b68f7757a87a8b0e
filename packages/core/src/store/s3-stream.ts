import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { MeiliHaError } from '../errors.ts'
import type { S3Target } from './s3-requests.ts'
import { StreamClient } from './s3-stream-client.ts'
import type { PutFileOptions, StoredFile } from './store.ts'

/** Parts in flight. Upload copies each part together from its chunks, so that it takes twice its size. */
const QUEUE_SIZE = 2

/** Read ahead of Upload, which keeps a part's worth of chunks anyway. */
const READ_AHEAD = 1024 * 1024

/**
 * Uploads a stream of unknown length by lib-storage's Upload, which cuts it into parts, decides
 * between one request and many, and puts the parts together in order.
 *
 * Its own `abort()` is not used: it returns before anything is cleaned up. Ending the stream instead
 * makes `done()` fail, and only once what was sent is removed.
 * @param key with the store's prefix.
 */
export async function uploadStream(
  target: S3Target,
  key: string,
  stream: Readable,
  options: PutFileOptions,
): Promise<StoredFile> {
  const failed = new AbortController()
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])])
  // A source that stands still may not notice that it is destroyed; what Upload reads must.
  const body = new PassThrough({ highWaterMark: READ_AHEAD })
  pipeline(stream, body, { signal }).catch(() => {}) // Upload sees it by `body`
  const client = new StreamClient(target, key, { ...options, signal }, (error) =>
    failed.abort(error),
  )
  const { partSize } = options
  try {
    const params = { Bucket: target.bucket, Key: key, Body: body }
    await new Upload({
      client: client as unknown as S3Client,
      params,
      partSize,
      queueSize: QUEUE_SIZE,
    }).done()
    if (client.stored) return client.stored
    throw new MeiliHaError('INTERNAL', 'Upload ended without its last step')
  } catch (error) {
    if (options.signal?.aborted) {
      throw new MeiliHaError('CANCELLED', 'the upload was cancelled', { cause: error })
    }
    // The first failure is the reason; others only were told to stop.
    throw failed.signal.aborted ? failed.signal.reason : error
  } finally {
    stream.destroy()
  }
}
