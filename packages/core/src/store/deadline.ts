import { setTimeout as delay } from 'node:timers/promises'
import { MeiliHaError } from '../errors.ts'

/** What waiting needs; tests pass their own. */
export interface StoreClock {
  /** Rejects when `signal` aborts. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** In [0, 1). */
  random: () => number
}

export const REAL_CLOCK: StoreClock = {
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  random: Math.random,
}

/** A small request that takes longer than this is taken for lost. */
export const SMALL_REQUEST_MS = 10_000

/** Bytes per millisecond (128 KiB/s) below which a transfer is taken for stuck. */
const SLOWEST_RATE = 131

/** Milliseconds for a request that moves `bytes`, body included. */
export function deadlineFor(bytes: number): number {
  return SMALL_REQUEST_MS + Math.ceil(bytes / SLOWEST_RATE)
}

/** The deadline of an attempt passed: it may have taken effect, or may do so yet. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/**
 * Runs `act` for at most `ms`, then aborts the signal it was given and stops waiting: what ignores
 * its signal (a read of a dead network file system) holds nobody up.
 * @throws DeadlineError after `ms`; CANCELLED when `signal` aborts.
 */
export async function withDeadline<T>(
  ms: number,
  signal: AbortSignal | undefined,
  clock: StoreClock,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw cancelled(signal)
  const attempt = new AbortController()
  const ended = new AbortController()
  const expired = clock.sleep(ms, ended.signal).then(() => {
    throw new DeadlineError(`no answer within ${ms} ms`)
  })
  const told = new Promise<never>((_resolve, reject) => {
    const onAbort = () => reject(cancelled(signal))
    signal?.addEventListener('abort', onAbort, { once: true })
    ended.signal.addEventListener('abort', () => signal?.removeEventListener('abort', onAbort))
  })
  const acting = (async () => act(attempt.signal))()
  try {
    return await Promise.race([acting, expired, told])
  } catch (error) {
    attempt.abort(error)
    throw error
  } finally {
    // Whichever came second has nobody left to tell.
    for (const late of [acting, expired, told]) late.catch(() => {})
    ended.abort()
  }
}

function cancelled(signal: AbortSignal | undefined): MeiliHaError {
  return new MeiliHaError('CANCELLED', 'the request was cancelled', { cause: signal?.reason })
}
