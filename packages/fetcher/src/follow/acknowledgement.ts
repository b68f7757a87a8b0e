import type { Logger } from 'pino'
import type { Sync } from '@meili-ha/core/ha/sync.ts'

/** What the keeper is told about what it wanted: carried out, or why it can't be. */
export class Acknowledgement {
  readonly #log: Logger
  /** The `want` line that was carried out last, verbatim. */
  acknowledged: string | null = null
  failed: Sync['failed'] = null

  constructor(log: Logger) {
    this.#log = log
  }

  accept(line: string | undefined): void {
    if (line === undefined) return
    this.acknowledged = line
    this.failed = null
  }

  refuse(line: string | undefined, message: string): void {
    if (line === undefined) return
    if (this.failed?.message !== message) {
      this.#log.error({ event: 'follow.refused', want: line }, message)
    }
    this.failed = { want: line, message }
  }
}
