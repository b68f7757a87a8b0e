import { setTimeout as delay } from 'node:timers/promises'
import { isError, MeiliHaError } from '@meili-ha/core/errors.ts'

export interface PatienceOptions {
  /** Milliseconds without any progress after which an unreachable store is reported. */
  timeoutMs: number
  /** Told of every failure that is waited out. */
  onWait: (error: MeiliHaError) => void
  signal: AbortSignal
  /** Milliseconds of a monotonic clock. */
  now?: () => number
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/** The store's own retries have just taken seconds: no need to hurry, none to make a person wait. */
const PAUSE_MS = 2000

/** Waits out a store that can't be reached, for as long as something moved not too long ago. */
export class Patience {
  readonly #options: Required<PatienceOptions>
  #movedAt: number

  constructor(options: PatienceOptions) {
    this.#options = {
      now: () => performance.now(),
      sleep: (ms, signal) => delay(ms, undefined, { signal }),
      ...options,
    }
    this.#movedAt = this.#options.now()
  }

  /** Something arrived. */
  moved(): void {
    this.#movedAt = this.#options.now()
  }

  /**
   * Repeats an attempt until it succeeds.
   * @throws STORE_UNREACHABLE after `timeoutMs` without progress; CANCELLED; anything else at once
   */
  async insist<T>(attempt: () => Promise<T>): Promise<T> {
    const { timeoutMs, now, sleep, onWait, signal } = this.#options
    for (;;) {
      try {
        const value = await attempt()
        this.moved()
        return value
      } catch (error) {
        const patient = isError(error, 'STORE_UNREACHABLE') && now() - this.#movedAt < timeoutMs
        if (!patient) throw error
        onWait(error)
      }
      await sleep(Math.min(PAUSE_MS, timeoutMs), signal).catch((cause: unknown) => {
        throw new MeiliHaError('CANCELLED', 'told to stop while it waited for the store', { cause })
      })
    }
  }
}
