import type { Logger } from 'pino'
import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import { isError, MeiliHaError } from '@meili-ha/core/errors.ts'
import type { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import { findForeignTask } from '@meili-ha/core/meilisearch/foreign-tasks.ts'

/** What a standby's own Meilisearch says about itself. */
export class MeilisearchWatch {
  readonly #client: Pick<MeilisearchClient, 'newestTask' | 'tasks'>
  readonly #keyGiven: boolean
  readonly #log: Logger
  #answered = false
  #blind = false
  /** The newest task of somebody else; null = none, or nobody knows. */
  foreignTask: number | null = null
  /** Why the authenticated call fails; null = it doesn't, or there is no key to try. */
  keyTrouble: string | null = null
  /** It answered last, and had no task at all. */
  isEmpty = false

  constructor(
    client: Pick<MeilisearchClient, 'newestTask' | 'tasks'>,
    keyGiven: boolean,
    log: Logger,
  ) {
    this.#client = client
    this.#keyGiven = keyGiven
    this.#log = log
    if (keyGiven) this.keyTrouble = 'its Meilisearch has not answered yet'
  }

  /**
   * Asks once. Only while Meilisearch runs on the directory that `lineage` is of.
   * @returns the newest task: right after the first start, all that the snapshot held; undefined =
   * nobody knows
   */
  async look(lineage: Lineage): Promise<number | undefined> {
    try {
      const newest = await this.#client.newestTask()
      this.#answered = true
      this.keyTrouble = null
      this.isEmpty = newest === undefined
      const mark = lineage.lastTaskUid ?? newest?.uid
      const isStandby = lineage.primaryIn.length === 0
      const foreign =
        isStandby && mark !== undefined ? await findForeignTask(this.#client, mark) : undefined
      this.#noteForeign(foreign?.uid ?? null)
      return newest?.uid
    } catch (error) {
      if (!isError(error, 'MEILI_UNREACHABLE', 'MEILI_DENIED', 'MEILI_FAILED')) throw error
      const { code, message } = error
      if (code === 'MEILI_HA_MEILI_DENIED') this.#noteDenied(message)
      else if (this.#keyGiven && !this.#answered) this.keyTrouble = message
      return undefined
    }
  }

  /** Another directory was moved in: what was known is no longer true. */
  forget(): void {
    this.foreignTask = null
  }

  #noteDenied(message: string): void {
    if (this.#keyGiven) this.keyTrouble = message
    if (this.#blind) return
    this.#blind = true
    this.#log.warn(
      { event: 'follow.blind' },
      `${message}; nobody notices when somebody writes to this standby by mistake`,
    )
  }

  #noteForeign(uid: number | null): void {
    if (uid !== null && this.foreignTask === null) {
      const { code, hint, message } = new MeiliHaError(
        'STANDBY_WRITTEN',
        `task ${uid} was written to this standby; the next swap sets its directory aside`,
      )
      this.#log.error({ event: 'follow.foreign_task', uid, code, hint }, message)
    }
    this.foreignTask = uid
  }
}
