import type { Readable } from 'node:stream'
import { MeiliHaError } from '../errors.ts'

/** A body that brings nothing for this long is dead: the SDK itself would wait for ever (#8098). */
const IDLE_MS = 10_000

/**
 * Reads a body of `expected` bytes (undefined: as many as come) into one buffer, `into` if given.
 * Two failure modes of real networks are caught here: a connection that stays open and silent, and
 * one that ends cleanly but short.
 * @throws STORE_UNREACHABLE for both.
 */
export async function readBody(
  body: Readable,
  expected: number | undefined,
  into: Buffer | undefined,
  signal: AbortSignal,
): Promise<Buffer> {
  const target = into ?? (expected === undefined ? undefined : Buffer.allocUnsafe(expected))
  if (target && expected !== undefined && target.length < expected) {
    body.destroy()
    throw new MeiliHaError('INTERNAL', `a body of ${expected} bytes into ${target.length}`)
  }
  const pieces: Buffer[] = []
  let length = 0
  const stop = () => body.destroy(new Error('the request was cancelled'))
  signal.addEventListener('abort', stop, { once: true })
  const watchdog = setTimeout(() => body.destroy(lost(`silent for ${IDLE_MS} ms`)), IDLE_MS)
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      watchdog.refresh()
      if (target && length + chunk.length > target.length) throw lost('longer than it should be')
      length += chunk.length
      if (target) moveTo(target, length - chunk.length, chunk)
      else pieces.push(chunk)
    }
  } finally {
    clearTimeout(watchdog)
    signal.removeEventListener('abort', stop)
    body.destroy()
  }
  if (expected !== undefined && length !== expected) {
    throw lost(`ended after ${length} of ${expected} bytes`)
  }
  return target ? target.subarray(0, length) : Buffer.concat(pieces)
}

/**
 * Copies a chunk and frees its memory at once: left to the garbage collector, some 60 MiB of them pile
 * up before it notices.
 */
function moveTo(target: Buffer, position: number, chunk: Buffer): void {
  chunk.copy(target, position)
  const memory = chunk.buffer as ArrayBuffer
  // One that shares its memory with others is left alone.
  if (chunk.length === memory.byteLength) memory.transfer(0)
}

function lost(how: string): MeiliHaError {
  return new MeiliHaError('STORE_UNREACHABLE', `the body of the answer was ${how}`)
}

/** What a range request should bring: from the object's size, whatever Content-Length claims. */
export function expectedLength(
  range: { start: number; end: number } | undefined,
  contentRange: string | undefined,
  contentLength: number | undefined,
): { length: number | undefined; size: number | undefined } {
  if (!range) return { length: contentLength, size: contentLength }
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange ?? '')
  const size = Number(match?.[3])
  if (!match || Number(match[1]) !== range.start) {
    throw new MeiliHaError('STORE_REFUSED', 'the store does not answer range requests')
  }
  return { length: Math.min(range.end, size - 1) - range.start + 1, size }
}
