import type { UnfinishedUpload } from '../store/store.ts'
import { newestEpoch, type CatalogView } from './catalog-view.ts'
import { parseKey, SNAPSHOTS } from './names.ts'
import type { Entitlement } from './prune.ts'
import type { CatalogReader } from './read-catalog.ts'

/** Tarballs that nobody names, and uploads that nobody finishes. */
export interface Orphans {
  tarballs: { key: string; size: number; etag: string }[]
  uploads: UnfinishedUpload[]
}

/**
 * Why no tarball may be swept: a manifest that can't be read might name any of them.
 * Undefined when all can.
 */
export function sweepBlockedBy(view: CatalogView): string | undefined {
  const entry = view.entries.find((each) => each.kind === 'unreadable')
  return entry?.key ?? view.strangers[0]
}

/**
 * What no manifest names, be it on the chain or off it.
 * @param inUse keys that this process itself is uploading or about to publish
 */
export function findOrphans(
  view: CatalogView,
  uploads: readonly UnfinishedUpload[],
  inUse: ReadonlySet<string>,
): Orphans {
  if (sweepBlockedBy(view) !== undefined) return { tarballs: [], uploads: [] }
  const named = new Set(
    view.entries.map((entry) => entry.kind === 'snapshot' && entry.manifest.object?.key),
  )
  return {
    tarballs: [...view.tarballs.values()].filter(({ key }) => !named.has(key) && !inUse.has(key)),
    uploads: uploads.filter(({ key }) => parseKey(key)?.kind === 'tarball' && !inUse.has(key)),
  }
}

export interface SweepResult {
  /** Keys of deleted tarballs, and of aborted uploads. */
  deleted: string[]
  aborted: string[]
  /** Bytes of the deleted tarballs. */
  freedBytes: number
  /** Orphans seen, gone or not yet due. */
  waiting: number
  stopped: 'superseded' | 'not-primary' | undefined
  /** Key of a manifest that can't be read: a person must look, until then nothing is swept. */
  blockedBy: string | undefined
}

export interface SweeperOptions {
  reader: CatalogReader
  /** How long something must be seen unreferenced, in ms: longer than any upload stays unpublished. */
  graceMs: number
  /** Monotonic, in ms. Object times are never asked: they are another machine's. */
  now: () => number
}

/** Deletes what has been an orphan for the grace time, as seen by this very process. */
export class Sweeper {
  readonly #options: SweeperOptions
  readonly #since = new Map<string, number>()

  constructor(options: SweeperOptions) {
    this.#options = options
  }

  /**
   * One round; call it every few minutes.
   * @param inUse keys that this process is uploading or about to publish; looked at again before
   * each deletion, so give it the live set
   */
  async sweep(
    { epoch, stillPrimary }: Entitlement,
    inUse: ReadonlySet<string> = new Set(),
  ): Promise<SweepResult> {
    const { reader } = this.#options
    const result: SweepResult = {
      deleted: [],
      aborted: [],
      freedBytes: 0,
      waiting: 0,
      stopped: undefined,
      blockedBy: undefined,
    }
    const { view, orphans } = await this.#look(inUse)
    result.blockedBy = sweepBlockedBy(view)
    const due = this.#due(orphans)
    result.waiting = orphans.tarballs.length + orphans.uploads.length

    for (const orphan of [...due.tarballs, ...due.uploads]) {
      const fresh = await this.#look(inUse)
      if ((newestEpoch(fresh.view) ?? 0) > epoch) return { ...result, stopped: 'superseded' }
      const still = [...fresh.orphans.tarballs, ...fresh.orphans.uploads]
      if (!still.some((each) => nameOf(each) === nameOf(orphan))) continue
      if (!(await stillPrimary())) return { ...result, stopped: 'not-primary' }
      result.waiting -= 1
      if ('uploadId' in orphan) {
        await reader.store.abortUpload(orphan)
        result.aborted.push(orphan.key)
      } else {
        await reader.store.delete(orphan.key)
        result.deleted.push(orphan.key)
        result.freedBytes += orphan.size
      }
    }
    return result
  }

  async #look(inUse: ReadonlySet<string>) {
    const { reader } = this.#options
    // Uploads first: one that is finished in between shows up as a tarball, too young to be due.
    const uploads = await reader.store.listUploads(SNAPSHOTS)
    const view = await reader.read()
    return { view, orphans: findOrphans(view, uploads, inUse) }
  }

  /** Notes when each orphan was first seen; what is one no longer starts anew. */
  #due(orphans: Orphans): Orphans {
    const { graceMs, now } = this.#options
    const at = now()
    const names = new Set([...orphans.tarballs, ...orphans.uploads].map(nameOf))
    for (const name of this.#since.keys()) if (!names.has(name)) this.#since.delete(name)
    for (const name of names) if (!this.#since.has(name)) this.#since.set(name, at)
    const isDue = (orphan: Parameters<typeof nameOf>[0]) =>
      at - (this.#since.get(nameOf(orphan)) ?? at) >= graceMs
    return { tarballs: orphans.tarballs.filter(isDue), uploads: orphans.uploads.filter(isDue) }
  }
}

function nameOf(orphan: { key: string } & ({ etag: string } | { uploadId: string })): string {
  return `${orphan.key} ${'etag' in orphan ? orphan.etag : orphan.uploadId}`
}
