import type { Sync } from '@meili-ha/core/ha/sync.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'

/** Written anew at least this often (centiseconds), so that a reader sees that somebody is there. */
const AT_LEAST_EVERY = 500

/** Writes `sync.json` whenever it says something new. */
export class SyncWriter {
  readonly #ha: HaDir
  #said = ''
  #saidAt = Number.NEGATIVE_INFINITY

  constructor(ha: HaDir) {
    this.#ha = ha
  }

  async write(sync: Sync): Promise<void> {
    const said = JSON.stringify({ ...sync, writtenAt: 0 })
    if (said === this.#said && sync.writtenAt - this.#saidAt < AT_LEAST_EVERY) return
    await this.#ha.writeJson('sync.json', sync)
    this.#said = said
    this.#saidAt = sync.writtenAt
  }
}
