import { planRetention } from '@meili-ha/core/catalog/retention.ts'
import { prune, type Entitlement } from '@meili-ha/core/catalog/prune.ts'
import { Sweeper } from '@meili-ha/core/catalog/sweep.ts'
import { formatBytes } from '@meili-ha/core/cli/units.ts'
import { isError, messageOf } from '@meili-ha/core/errors.ts'
import type { UploaderFlags } from './commands/uploader-flags.ts'
import type { FilePublisher } from './publish-file.ts'
import type { Parts } from './wire.ts'

type RetentionFlags = Pick<UploaderFlags, 'keepLast' | 'keepDaily' | 'dryRun' | 'sweepGrace'>

/** Keeps the store at what the retention rules ask for. Runs only while nothing is uploaded. */
export class Housekeeping {
  readonly #parts: Parts
  readonly #flags: RetentionFlags
  readonly #publisher: Pick<FilePublisher, 'look'>
  readonly #sweeper: Sweeper

  constructor(parts: Parts, flags: RetentionFlags, publisher: Pick<FilePublisher, 'look'>) {
    this.#parts = parts
    this.#flags = flags
    this.#publisher = publisher
    const now = () => performance.now()
    this.#sweeper = new Sweeper({ reader: parts.catalog, graceMs: flags.sweepGrace, now })
  }

  /** One round. Never throws: what isn't deleted today is deleted tomorrow. */
  async tidy(): Promise<void> {
    const { terms, log } = this.#parts
    try {
      // Who may not publish here may not delete either: these may be another's snapshots.
      const { epoch } = await this.#publisher.look()
      const entitlement = { epoch, stillPrimary: async () => (await terms.current()) === epoch }
      if (this.#flags.dryRun) await this.#say()
      else await this.#remove(entitlement)
    } catch (error) {
      if (isError(error, 'NOT_PERMITTED')) return
      log.warn({ event: 'retention.failed', err: error }, messageOf(error))
    }
  }

  async #say(): Promise<void> {
    const { catalog, log } = this.#parts
    const { remove, blockedBy } = planRetention(await catalog.read(), this.#flags)
    const ids = remove.map(({ entry, why }) => `${entry.id} (${why})`)
    log.info(
      { event: 'retention.dry_run', ids, blockedBy },
      blockedBy ?? `retention would remove ${ids.length}: ${ids.join(', ') || 'nothing'}`,
    )
  }

  async #remove(entitlement: Entitlement): Promise<void> {
    const { catalog, log, metrics } = this.#parts
    const { plan, removed } = await prune(catalog, this.#flags, entitlement)
    metrics.pruned.inc({ kind: 'manifest' }, removed.length)
    if (removed.length > 0) log.info({ event: 'retention.pruned', ids: removed }, 'pruned')
    if (plan.blockedBy) log.warn({ event: 'retention.blocked', why: plan.blockedBy }, 'not pruned')

    const swept = await this.#sweeper.sweep(entitlement)
    metrics.pruned.inc({ kind: 'tarball' }, swept.deleted.length)
    metrics.pruned.inc({ kind: 'upload' }, swept.aborted.length)
    const { deleted, aborted, freedBytes, blockedBy } = swept
    if (deleted.length + aborted.length > 0) {
      log.info(
        { event: 'retention.swept', deleted, aborted, freedBytes },
        `swept ${formatBytes(freedBytes)}`,
      )
    }
    if (blockedBy)
      log.warn({ event: 'sweep.blocked', why: blockedBy }, `${blockedBy} is unreadable`)
  }
}
