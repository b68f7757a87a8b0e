import type { Logger } from 'pino'
import { messageOf } from '@meili-ha/core/errors.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'

export type KeeperFile = 'permit' | 'data' | 'want' | 'drained'

/**
 * Writes the keeper's own files, and keeps them as they should be. A full, read-only or wiped `/ha`
 * must not end the keeper: what the guard last read runs out by itself. But a decision says each word
 * once, so a word that was lost is said again, or the member would wait for its echo for ever.
 */
export class HaWriter {
  readonly #ha: HaDir
  readonly #log: Logger
  readonly #lines = new Map<KeeperFile, string>()
  #failing = false
  #tail: Promise<void> = Promise.resolve()

  constructor(ha: HaDir, log: Logger) {
    this.#ha = ha
    this.#log = log
  }

  write(file: KeeperFile, line: string): Promise<void> {
    this.#lines.set(file, line)
    return this.#inTurn(() => this.#put(file))
  }

  /** Writes again whatever isn't there as it was last said; the times in a permit stay what they were. */
  repair(): Promise<void> {
    return this.#inTurn(async () => {
      for (const [file, line] of this.#lines) {
        const found = await this.#ha.readLine(file).catch(() => undefined)
        if (found !== line) await this.#put(file)
      }
    })
  }

  /** One after the other: a repair that comes late must not put an older permit over a newer one. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(work)
    return this.#tail
  }

  /** Never throws. Takes the line that was said last, whatever it was when this was asked for. */
  async #put(file: KeeperFile): Promise<void> {
    try {
      await this.#ha.writeLine(file, this.#lines.get(file) ?? '')
      this.#failing = false
    } catch (error) {
      if (!this.#failing) {
        this.#log.error(
          { event: 'ha.unwritable', file, err: error },
          `/ha/${file}: ${messageOf(error)}`,
        )
      }
      this.#failing = true
    }
  }
}
