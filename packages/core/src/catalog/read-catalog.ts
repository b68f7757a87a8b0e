import { isError, MeiliHaError } from '../errors.ts'
import type { ObjectInfo, Store } from '../store/store.ts'
import type { CatalogView, Entry } from './catalog-view.ts'
import { readCluster, type ClusterRecord } from './cluster.ts'
import { parseManifest } from './manifest.ts'
import { comparePositions, parseKey, SNAPSHOTS, type SnapshotName } from './names.ts'

/** Enough to hide the latency of a distant store, few enough for its rate limits. */
const PARALLEL_READS = 8

type Listed = ObjectInfo & { name: SnapshotName }

/**
 * Reads the catalog: one LIST, and GETs only for manifests that it hasn't seen in this version.
 * An idle poll so costs one request (and one more until cluster.json exists).
 */
export class CatalogReader {
  readonly store: Store
  /** By key: immutable, so the same etag is the same manifest. */
  #known = new Map<string, Entry>()
  #cluster: ClusterRecord | undefined

  constructor(store: Store) {
    this.store = store
  }

  /**
   * What the store holds now.
   * @throws what the store throws, and WRONG_CLUSTER for a cluster.json that can't be read. Not
   * for manifests that can't: those are part of the answer.
   */
  async read(): Promise<CatalogView> {
    const objects = await this.store.list(SNAPSHOTS)
    const manifests: Listed[] = []
    const tarballs = new Map<string, ObjectInfo>()
    const strangers: string[] = []
    for (const object of objects) {
      const name = parseKey(object.key)
      if (name?.kind === 'manifest') manifests.push({ ...object, name })
      else if (name) tarballs.set(object.key, object)
      else if (object.key.endsWith('.json')) strangers.push(object.key)
    }
    const entries = await inParallel(manifests, (listed) => this.#entry(listed))
    const changed =
      entries.length !== this.#known.size ||
      entries.some((entry) => this.#known.get(entry.key) !== entry)
    this.#known = new Map(entries.map((entry) => [entry.key, entry]))
    // Read again whenever anything changed: a prefix emptied and taken over shows itself so.
    if (changed || !this.#cluster) this.#cluster = await readCluster(this.store)
    return {
      cluster: this.#cluster,
      entries: entries.toSorted((a, b) => comparePositions(b, a)),
      tarballs,
      strangers,
    }
  }

  async #entry(listed: Listed): Promise<Entry> {
    const known = this.#known.get(listed.key)
    if (known?.etag === listed.etag) return known
    const { id, epoch, seq } = listed.name
    const place = { id, epoch, seq, key: listed.key, etag: listed.etag }
    let body: Buffer
    try {
      ;({ body } = await this.store.get(listed.key))
    } catch (error) {
      // Listed but gone: pruned in between. Kept as unreadable for this once, since leaving it
      // out could hide a claim, and so put a zombie's snapshot on the chain.
      if (!isError(error, 'STORE_NOT_FOUND')) throw error
      const vanished = new MeiliHaError('MANIFEST_INVALID', `manifest ${id} vanished`)
      return { kind: 'unreadable', ...place, etag: '', error: vanished, ...UNKNOWN }
    }
    try {
      return { kind: 'snapshot', ...place, manifest: parseManifest(id, body) }
    } catch (error) {
      if (!isError(error)) throw error
      const newerFormat = isError(error, 'MANIFEST_NEWER_FORMAT')
      return { kind: 'unreadable', ...place, error, newerFormat, mayBeFinal: mayBeFinal(id, body) }
    }
  }
}

const UNKNOWN = { newerFormat: false, mayBeFinal: true }

/** False only when the damaged manifest is still JSON, still its own, and not marked final. */
function mayBeFinal(id: string, body: Buffer): boolean {
  try {
    const json = JSON.parse(body.toString()) as { id?: unknown; final?: unknown } | null
    return json?.id !== id || 'final' in json
  } catch {
    return true
  }
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: PARALLEL_READS }, worker))
  return results
}
