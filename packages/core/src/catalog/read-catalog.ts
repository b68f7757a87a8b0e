import { isError, MeiliHaError } from '../errors.ts'
import type { ObjectInfo, Store } from '../store/store.ts'
import type { CatalogView, Entry, PartialView, Unread } from './catalog-view.ts'
import { readCluster, type ClusterRecord } from './cluster.ts'
import { parseManifest } from './manifest.ts'
import { comparePositions, parseKey, SNAPSHOTS, type SnapshotName } from './names.ts'

/** Enough to hide the latency of a distant store, few enough for its rate limits. */
const PARALLEL_READS = 8

/** A manifest's name, and what else the LIST says of it. */
export type Listed = ObjectInfo & { name: SnapshotName }

/** Which manifests to read, of all that the LIST names, newest first. */
export type Choice = (
  listed: readonly Listed[],
  tarballs: CatalogView['tarballs'],
) => readonly Listed[]

/**
 * Reads the catalog: one LIST, and GETs only for manifests that it hasn't seen in this version.
 * An idle poll so costs one request (and one more until cluster.json exists).
 */
export class CatalogReader {
  readonly store: Store
  /** By key: immutable, so the same etag is the same manifest. */
  #known = new Map<string, Entry>()
  /** What the last LIST named, key to etag. */
  #listed = new Map<string, string>()
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
    return (await this.#read((listed) => listed)) as CatalogView
  }

  /**
   * The same with only those manifests read that `choose` names, or that were read before. All of
   * them where there is no cluster.json: then they alone say whose the store is.
   */
  async readSome(choose: Choice): Promise<PartialView> {
    const view = await this.#read(choose)
    return view.cluster ? view : this.read()
  }

  async #read(choose: Choice): Promise<PartialView> {
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
    manifests.sort((a, b) => comparePositions(b.name, a.name))
    const wanted = new Set(choose(manifests, tarballs))
    const entries = await inParallel(manifests, (listed) => this.#entry(listed, wanted.has(listed)))
    const changed =
      entries.length !== this.#listed.size ||
      entries.some(({ key, etag }) => etag === VANISHED || this.#listed.get(key) !== etag)
    this.#listed = new Map(entries.map(({ key, etag }) => [key, etag]))
    this.#known = new Map(
      entries.flatMap((entry) => (entry.kind === 'unread' ? [] : [[entry.key, entry]])),
    )
    // Read again whenever anything changed: a prefix emptied and taken over shows itself so.
    if (changed || !this.#cluster) this.#cluster = await readCluster(this.store)
    return {
      cluster: this.#cluster,
      entries,
      tarballs,
      strangers,
    }
  }

  async #entry(listed: Listed, wanted: boolean): Promise<Entry | Unread> {
    const known = this.#known.get(listed.key)
    if (known?.etag === listed.etag) return known
    const { id, epoch, seq } = listed.name
    const place = { id, epoch, seq, key: listed.key, etag: listed.etag }
    if (!wanted) return { kind: 'unread', ...place }
    let body: Buffer
    try {
      ;({ body } = await this.store.get(listed.key))
    } catch (error) {
      // Listed but gone: pruned in between. Kept as unreadable for this once, since leaving it
      // out could hide a claim, and so put a zombie's snapshot on the chain.
      if (!isError(error, 'STORE_NOT_FOUND')) throw error
      const vanished = new MeiliHaError('MANIFEST_INVALID', `manifest ${id} vanished`)
      return { kind: 'unreadable', ...place, etag: VANISHED, error: vanished, ...UNKNOWN }
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

/** No LIST says so: it is read again, and whatever depends on it. */
const VANISHED = ''

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

/** The newest of them: whatever is restored unasked is nearly always the very first. */
export function newestOf(listed: readonly Listed[]): readonly Listed[] {
  return listed.slice(0, PARALLEL_READS)
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
