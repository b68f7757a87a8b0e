import { isError } from '../errors.ts'
import type { Part, PartReader } from './part-reader.ts'
import type { S3Target } from './s3-requests.ts'
import type { Resumable } from './s3-resume.ts'
import { abortUpload, begin, complete, sendPart, type SentPart } from './s3-upload.ts'
import type { PutFileOptions, StoredFile } from './store.ts'

/**
 * Parts in flight, and so the buffers that an upload takes: enough to keep the line busy while one
 * is read and hashed. A fourth was no faster on loopback, and costs 8 MiB.
 */
export const IN_FLIGHT = 3

/** What is being uploaded. */
export interface Source {
  /** With the store's prefix. */
  key: string
  /** One for each part in flight. */
  buffers: Buffer[]
  /** The first part, read into the first buffer to find out whether it is the only one. */
  first: Part
  next: PartReader
}

/**
 * Uploads the parts of a file and puts them together. Our own loop rather than lib-storage's Upload
 * (which serves streams, s3-stream.ts): parts are read into IN_FLIGHT reused buffers, which takes a
 * third of the memory, and an unfinished upload can be gone on with.
 *
 * It is left for the next attempt when the caller stopped this one or the store stayed away; after
 * a definite no it is gone when this throws.
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
    return await complete(target, source.key, upload.uploadId, parts, options)
  } catch (error) {
    if (isError(error, 'CANCELLED', 'STORE_UNREACHABLE')) throw error
    // Nobody will go on with it: unfinished parts cost money and show in no listing of objects.
    await abortUpload(target, source.key, upload.uploadId).catch(() => {})
    throw error
  }
}

/** One worker per part in flight, a buffer each; the first failure ends them all. */
async function sendAll(
  target: S3Target,
  source: Source,
  upload: Resumable,
  options: PutFileOptions,
): Promise<SentPart[]> {
  const sent: SentPart[] = []
  const failed = new AbortController()
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])])
  const sending = { ...options, signal }
  const work = async (buffer: Buffer, first: Part | undefined) => {
    let part = first ?? (await source.next(buffer))
    while (part) {
      sent[part.index] = await sendPart(target, source.key, upload, part, sending)
      part = await source.next(buffer)
    }
  }
  const workers = source.buffers.map((buffer, i) =>
    work(buffer, i === 0 ? source.first : undefined),
  )
  for (const worker of workers) worker.catch((error: unknown) => failed.abort(error))
  // All settled before anything is aborted: a part that arrives after the abort would stay behind.
  await Promise.allSettled(workers)
  if (failed.signal.aborted) throw failed.signal.reason
  return sent
}
