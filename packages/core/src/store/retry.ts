import { isError, type MeiliHaError } from '../errors.ts'
import { SMALL_REQUEST_MS, type StoreClock, withDeadline } from './deadline.ts'

/**
 * The one retry policy for stores; the SDK's own is switched off, and lib-storage's Upload, which has
 * none, sends through this one (s3-stream-client.ts).
 *
 * - Tried again: no answer, a broken or late one, 408, 429, every 5xx but 501, a damaged body.
 * - Not tried again: a definite no (any other 4xx).
 * - Wait: a random time between 0 and base x 2^n, at most the cap (full jitter: writers that
 *   failed together don't come back together), and never less than the store's Retry-After.
 * - A store that asks for more patience than `longestWaitMs` is reported instead of waited for.
 *
 * An attempt without an answer may have taken effect. So a retried conditional create can meet its
 * own object and report STORE_CONFLICT: callers of conditional writes read and compare.
 */
export const RETRY = { retries: 5, baseMs: 200, capMs: 10_000, longestWaitMs: 60_000 } as const

/** What a failed attempt means. */
export interface Verdict {
  /** What the caller sees if nothing better comes. */
  error: MeiliHaError
  retry: boolean
  retryAfterMs?: number
}

export interface RetryOptions {
  /** Tells a definite no from bad luck. */
  judge: (error: unknown) => Verdict
  /** Attempts after the first. */
  retries?: number | undefined
  /** Milliseconds for each attempt, body included. */
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * Runs `attempt` by the policy above.
 * @throws the error of the last verdict; CANCELLED when the signal aborts.
 */
export async function retry<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  options: RetryOptions,
  clock: StoreClock,
): Promise<T> {
  const { judge, retries = RETRY.retries, timeoutMs = SMALL_REQUEST_MS, signal } = options
  for (let failed = 0; ; failed++) {
    try {
      return await withDeadline(timeoutMs, signal, clock, attempt)
    } catch (error) {
      if (isError(error, 'CANCELLED')) throw error
      const verdict = judge(error)
      const wait = waitBefore(failed + 1, verdict, clock.random())
      if (!verdict.retry || failed >= retries || wait > RETRY.longestWaitMs) throw verdict.error
      await clock.sleep(wait, signal).catch(() => {}) // aborted: the next attempt says so
    }
  }
}

/** Milliseconds before attempt number `n` after the first, `random` in [0, 1). */
export function waitBefore(
  n: number,
  verdict: Pick<Verdict, 'retryAfterMs'>,
  random: number,
): number {
  const ceiling = Math.min(RETRY.capMs, RETRY.baseMs * 2 ** (n - 1))
  return Math.max(random * ceiling, verdict.retryAfterMs ?? 0)
}
