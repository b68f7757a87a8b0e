import {
  tarballState,
  type CatalogView,
  type Entry,
  type Snapshot,
} from '@meili-ha/core/catalog/catalog-view.ts'
import { chainOf } from '@meili-ha/core/catalog/chain.ts'
import { begunAt } from './choose-snapshot.ts'

/** One line of `fetcher list`. What can't be read is null. */
export interface Description {
  id: string
  epoch: number
  seq: number
  /** When the making of what it holds began, ISO 8601. */
  begunAt: string | null
  createdAt: string | null
  writer: string | null
  clusterId: string | null
  /** Of Meilisearch. */
  version: string | null
  /** Of the tarball, below the store; null = it names none. */
  key: string | null
  /** Of the tarball; null = it names none. */
  sizeBytes: number | null
  unpackedBytes: number | null
  indexes: number | null
  /** A lower bound of the highest task in it. */
  lastTaskUid: number | null
  /** The last one of a stopped primary. */
  final: boolean
  /** What the epoch starts from, where this is a claim. */
  claimOf: string | null
  claim: boolean
  /** `on`, `off`: what a zombie wrote, never chosen; `unplaced`: nobody can tell, a claim is missing. */
  chain: 'on' | 'off' | 'unplaced'
  /** As far as a LIST can tell; `fetcher verify` reads it all. */
  state: 'good' | 'empty' | 'tarball-gone' | 'tarball-short' | 'unreadable' | 'newer-format'
  annotations: string | null
}

/** Everything in the store, newest first. */
export function describeSnapshots(view: CatalogView): Description[] {
  const { offChain, unplaced } = chainOf(view)
  const place = (entry: Entry) =>
    offChain.includes(entry) ? 'off' : unplaced.includes(entry) ? 'unplaced' : 'on'
  return view.entries.map((entry) =>
    entry.kind === 'snapshot'
      ? { ...readable(entry), state: stateOf(view, entry), chain: place(entry) }
      : {
          ...UNREADABLE,
          ...{ id: entry.id, epoch: entry.epoch, seq: entry.seq, claim: entry.seq === 0 },
          state: entry.newerFormat ? 'newer-format' : 'unreadable',
          chain: place(entry),
        },
  )
}

/** Words for a person: nothing for what is as it should be. */
export function marksOf(description: Description): string {
  const { state, chain, final, claim, claimOf } = description
  const marks: string[] = []
  if (state !== 'good') marks.push(state)
  if (chain !== 'on') marks.push(chain === 'off' ? 'off-chain' : 'unplaced')
  if (final) marks.push('final')
  if (claim) marks.push(claimOf === null ? 'claim' : `claim of ${claimOf}`)
  return marks.join(', ')
}

function readable({ id, epoch, seq, manifest }: Snapshot) {
  const { object, contents, tasks, claim } = manifest
  return {
    id,
    epoch,
    seq,
    begunAt: begunAt(manifest).toISOString(),
    createdAt: manifest.createdAt,
    writer: manifest.writer,
    clusterId: manifest.clusterId,
    version: manifest.meilisearch.version,
    key: object?.key ?? null,
    sizeBytes: object?.size ?? null,
    unpackedBytes: contents.unpackedBytes,
    indexes: contents.indexes,
    lastTaskUid: tasks.lastTaskUid ?? null,
    final: manifest.final ?? false,
    claim: claim !== undefined,
    claimOf: claim?.of ?? null,
    annotations: manifest.annotations ?? null,
  }
}

const UNREADABLE = {
  begunAt: null,
  createdAt: null,
  writer: null,
  clusterId: null,
  version: null,
  key: null,
  sizeBytes: null,
  unpackedBytes: null,
  indexes: null,
  lastTaskUid: null,
  final: false,
  claimOf: null,
  annotations: null,
}

function stateOf(view: CatalogView, snapshot: Snapshot): Description['state'] {
  const state = tarballState(view, snapshot)
  if (state === 'none') return 'empty'
  if (state === 'gone') return 'tarball-gone'
  return state === 'wrong-size' ? 'tarball-short' : 'good'
}
