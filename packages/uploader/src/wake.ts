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
        signal.addEventListener('abort', this.up, { once: true })
      })
      // A signal that lives as long as the program would collect one listener a call.
      signal.removeEventListener('abort', this.up)
    }
    this.#waiter = undefined
    this.#pending = false
  }
}
