/** A coalescing wake-up call: many `up`s while nobody waits count as one. */
export class Wake {
  #pending = false
  #waiter: (() => void) | undefined

  up = (): void => {
    this.#pending = true
    this.#waiter?.()
  }

  /** Resolves at the next wake-up (at once, if there was one meanwhile), or when `signal` aborts. */
  async next(signal: AbortSignal): Promise<void> {
    if (!this.#pending && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiter = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    this.#waiter = undefined
    this.#pending = false
  }
}
