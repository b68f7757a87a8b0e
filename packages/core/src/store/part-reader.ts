import { addAbortSignal, type Readable } from 'node:stream'
import { MeiliHaError } from '../errors.ts'
import type { SizedFile } from './store.ts'

/** One part of what is being uploaded; `bytes` is a view of the buffer that was passed in. */
export interface Part {
  index: number
  bytes: Buffer
}

/** Hands out parts in order, each filled to the end of the buffer but the last; then undefined. */
export type PartReader = (buffer: Buffer) => Promise<Part | undefined>

/** Parts of an open file, by positional reads: the descriptor's own position is never touched. */
export function readParts(file: SizedFile): PartReader {
  let index = 0
  let offset = 0
  return inOrder(async (buffer) => {
    const length = Math.min(buffer.length, file.size - offset)
    if (length <= 0) return undefined
    const part = { index: index++, bytes: buffer.subarray(0, length) }
    for (let filled = 0; filled < length;) {
      const { bytesRead } = await file.handle.read(buffer, filled, length - filled, offset + filled)
      if (bytesRead === 0) {
        throw new MeiliHaError(
          'SNAPSHOT_DAMAGED',
          `the file ended at ${offset + filled} bytes while it was uploaded; it had ${file.size}`,
        )
      }
      filled += bytesRead
    }
    offset += length
    return part
  })
}

/**
 * Parts of a stream of unknown length. The signal destroys the stream: one that brings nothing more
 * would hold its reader for ever.
 */
export function streamParts(stream: Readable, signal?: AbortSignal): PartReader {
  if (signal) addAbortSignal(signal, stream)
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer | string>
  let rest: Buffer = Buffer.alloc(0)
  let index = 0
  return inOrder(async (buffer) => {
    let filled = 0
    while (filled < buffer.length) {
      if (rest.length === 0) {
        const next = await chunks.next().catch((error: unknown) => {
          if (!signal?.aborted) throw error
          throw new MeiliHaError('CANCELLED', 'the upload was cancelled', { cause: error })
        })
        if (next.done) break
        rest = typeof next.value === 'string' ? Buffer.from(next.value) : next.value
      }
      const copied = rest.copy(buffer, filled)
      rest = rest.subarray(copied)
      filled += copied
    }
    return filled === 0 ? undefined : { index: index++, bytes: buffer.subarray(0, filled) }
  })
}

/** Lets several uploads ask at once: each is answered after the one before. */
function inOrder(read: PartReader): PartReader {
  let last: Promise<unknown> = Promise.resolve()
  return (buffer) => {
    const part = last.then(() => read(buffer))
    last = part
    last.catch(() => {})
    return part
  }
}
