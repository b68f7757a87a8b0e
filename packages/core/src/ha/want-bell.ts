import { watch, type FSWatcher } from 'node:fs'
import type { HaDir } from './ha-dir.ts'

/**
 * Wakes those who wait for the keeper's next `want`: nobody can write while a term changes hands.
 * Only a hurry: where the kernel tells nothing (gVisor, a network file system), the wait runs its time.
 */
export class WantBell implements Disposable {
  readonly #watcher: FSWatcher | undefined
  #rung = false
  #wake: (() => void) | undefined

  constructor({ path }: Pick<HaDir, 'path'>) {
    try {
      this.#watcher = watch(path, { persistent: false }, (_event, name) => {
        if (name === 'want') this.#ring()
      })
      this.#watcher.on('error', () => {})
    } catch {
      // Out of inotify watches, or no such directory yet.
    }
  }

  /** Returns when `want` was written since the last return, after `ms`, or when `signal` aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#rung || signal.aborted) ms = 0
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
      signal.addEventListener('abort', this.#wake, { once: true })
    })
    if (this.#wake) signal.removeEventListener('abort', this.#wake)
    this.#wake = undefined
    this.#rung = false
  }

  #ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  [Symbol.dispose](): void {
    this.#watcher?.close()
  }
}
