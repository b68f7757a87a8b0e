import { watch, type FSWatcher } from 'node:fs'
import { setImmediate as allTold } from 'node:timers/promises'
import type { HaDir, HaFile } from './ha-dir.ts'

/**
 * Wakes those who wait for what another container writes into `/ha`. Only a hurry: where the kernel
 * tells nothing (gVisor, a network file system), the wait runs its time.
 */
export class HaBell implements Disposable {
  readonly #watcher: FSWatcher | undefined
  #rung = new Set<HaFile>()
  #wake: (() => void) | undefined
  /** The guard, which writes four times a second, was heard since the last wait. */
  #tells = false

  /** @param files which of them ring */
  constructor({ path }: Pick<HaDir, 'path'>, files: readonly HaFile[]) {
    try {
      this.#watcher = watch(path, { persistent: false }, (_event, name) => {
        this.#tells ||= name === 'guard'
        const file = files.find((one) => one === name)
        if (file) this.#ring(file)
      })
      this.#watcher.on('error', () => {})
    } catch {
      // Out of inotify watches, or no such directory yet.
    }
  }

  /**
   * Returns when one of the files was written since the last return, when `signal` aborts, or after `ms`.
   * @param toldMs the same, while the kernel tells what happens: each look that is spared is CPU
   * @returns what was written since the last return, as far as the kernel told
   */
  async wait(ms: number, signal: AbortSignal, toldMs = ms): Promise<ReadonlySet<HaFile>> {
    const unheard = this.#tells ? toldMs : ms
    this.#tells = false
    const longest = this.#rung.size > 0 || signal.aborted ? 0 : unheard
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, longest)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
      signal.addEventListener('abort', this.#wake, { once: true })
    })
    if (this.#wake) signal.removeEventListener('abort', this.#wake)
    this.#wake = undefined
    // What came together is told together: who writes a file empties it first, which is told by itself.
    if (this.#rung.size > 0) await allTold()
    const rang = this.#rung
    this.#rung = new Set()
    return rang
  }

  #ring(file: HaFile): void {
    this.#rung.add(file)
    this.#wake?.()
  }

  [Symbol.dispose](): void {
    this.#watcher?.close()
  }
}
