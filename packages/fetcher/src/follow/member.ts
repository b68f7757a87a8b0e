import { versionGate } from '@meili-ha/core/archive/version.ts'
import type { CatalogView, Restorable } from '@meili-ha/core/catalog/catalog-view.ts'
import { parseId } from '@meili-ha/core/catalog/names.ts'
import { restoreCandidates, type RestorePlan } from '@meili-ha/core/catalog/restore-candidates.ts'
import { inspectDataDirectory, type DataDirectory } from '@meili-ha/core/data-dir/inspect.ts'
import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import { finishSwap } from '@meili-ha/core/data-dir/swap.ts'
import { writeLineage } from '@meili-ha/core/data-dir/write-lineage.ts'
import { messageOf, type MeiliHaError } from '@meili-ha/core/errors.ts'
import type { Situation, Verdict } from '../decide.ts'
import { isStoreAway, weigh } from '../restore.ts'
import type { FollowOptions } from './follow-options.ts'

/** What this member knows of its directory and of the store, and what follows from it. */
export class Member {
  readonly #options: FollowOptions
  /** The last LIST that succeeded; undefined = none did. */
  view: CatalogView | undefined
  /** Centiseconds of boot time of that LIST. */
  listedAt: number | null = null
  /** Why the last LIST failed; undefined = it didn't. */
  unreachable: MeiliHaError | undefined
  data: DataDirectory = { state: 'absent' }
  /** Of Meilisearch; undefined = not known yet. */
  engine: string | undefined
  /** Tarballs (key and etag) that looked good to a LIST and weren't. */
  readonly #damaged = new Set<string>()

  constructor(options: FollowOptions) {
    this.#options = options
  }

  /** Asks the store what it holds now; a store that doesn't answer is noted, not thrown. */
  async list(): Promise<void> {
    const { catalog, clock, metrics, log } = this.#options
    const at = clock.now()
    try {
      this.view = await catalog.read()
      this.listedAt = at
      metrics.listed.set(Date.now() / 1000)
      if (this.unreachable) log.info({ event: 'store.reached' }, 'the store answers again')
      this.unreachable = undefined
    } catch (error) {
      if (!isStoreAway(error)) throw error
      if (!this.unreachable) log.warn({ event: 'store.unreachable', err: error }, error.message)
      this.unreachable = error
    }
  }

  /** Finishes what a killed swap began. At the start only: later it would move in what is prepared. */
  async recover(): Promise<void> {
    const { paths, log } = this.#options
    if (!(await finishSwap(paths))) return
    log.warn({ event: 'restore.finished' }, 'finished the swap that a killed fetcher had begun')
  }

  /** Looks at the directory again. */
  async look(): Promise<void> {
    this.data = await inspectDataDirectory(this.#options.paths.live)
  }

  get lineage(): Lineage | undefined {
    const found = 'lineage' in this.data ? this.data.lineage : undefined
    return typeof found === 'object' ? found : undefined
  }

  /** On disk when this returns. */
  async writeLineage(lineage: Lineage): Promise<void> {
    await writeLineage(this.#options.paths.live, lineage)
    await this.look()
  }

  /** While the store is away nothing is decided by what it last said. */
  weigh(): { situation: Situation; verdict: Verdict } {
    const view = this.unreachable ? undefined : this.view
    return weigh(this.data, view, { ...this.#options, engine: this.engine })
  }

  /** The chain's good snapshots, those left out that proved damaged. */
  plan(): RestorePlan {
    if (!this.view) throw new Error('the store was never listed')
    const plan = restoreCandidates(this.view)
    return {
      ...plan,
      candidates: plan.candidates.filter((one) => !this.#damaged.has(this.#tarballOf(one))),
    }
  }

  get candidates(): readonly Restorable[] {
    return this.view ? this.plan().candidates : []
  }

  /** The damaged last word of a stopped primary, past which nobody goes unasked; null = there is none. */
  get blockedBy(): string | null {
    if (!this.view) return null
    const { end, endsAt } = restoreCandidates(this.view)
    const blocks = end === 'unreadable' || end === 'final'
    // Without a claim, what came before it off the chain would be the newest.
    return blocks && endsAt !== undefined && parseId(endsAt)?.seq !== 0 ? endsAt : null
  }

  noteDamaged(snapshot: Restorable): void {
    this.#damaged.add(this.#tarballOf(snapshot))
  }

  /** A promotion must not hang on one bad transfer: everything is tried once more. */
  forgiveDamaged(): void {
    this.#damaged.clear()
  }

  /** Why the newest snapshot doesn't fit this member; null = it does. */
  misfit(): string | null {
    const version = this.candidates[0]?.manifest.meilisearch.version
    if (!version) return null
    try {
      versionGate(version, this.engine)
      return null
    } catch (error) {
      return messageOf(error)
    }
  }

  #tarballOf({ manifest }: Restorable): string {
    return `${manifest.object.key} ${this.view?.tarballs.get(manifest.object.key)?.etag ?? ''}`
  }
}
