import { compareVersions } from '@meili-ha/core/archive/version.ts'
import {
  isInitialised,
  newestEpoch,
  snapshotsOf,
  type CatalogView,
  type PartialView,
} from '@meili-ha/core/catalog/catalog-view.ts'
import { clusterIdOf } from '@meili-ha/core/catalog/cluster.ts'
import { parseId } from '@meili-ha/core/catalog/names.ts'
import { restoreCandidates } from '@meili-ha/core/catalog/restore-candidates.ts'
import type { DataDirectory } from '@meili-ha/core/data-dir/inspect.ts'
import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import type { Directory, Situation, StoreState } from './decide.ts'

type WholeDirectory = Extract<DataDirectory, { state: 'whole' }>

export interface Looker {
  /** `--member`. */
  member: string
  /** A lease-keeper decides who leads. */
  lease: boolean
  /** The Meilisearch that will run on the directory; undefined = not known. */
  engine: string | undefined
}

/** Puts what is on disk and what the store said (undefined: it can't be reached) into one picture. */
export function situationOf(
  data: DataDirectory,
  view: CatalogView | undefined,
  looker: Looker,
): Situation {
  if (data.state !== 'whole') return situationWithout(data.state, view)
  const directory = directoryOf(data, view, looker)
  return {
    directory,
    store: view === undefined ? 'unreachable' : storeStateOf(view),
    version: compare(data.version, looker.engine),
    covered: view !== undefined && isCovered(directory, data, view, looker.member),
  }
}

/** Where there is no whole directory, all that counts is whether there is something to restore. */
export function situationWithout(
  directory: Exclude<DataDirectory['state'], 'whole'>,
  view: PartialView | undefined,
): Situation {
  const store = view === undefined ? 'unreachable' : storeStateOf(view)
  return { directory, store, version: 'unknown', covered: false }
}

/** The highest epoch that a directory took writes in or was claimed for; -1 = none. */
export function ledBy({ primaryIn, claim }: Lineage): number {
  return Math.max(-1, ...primaryIn, claim?.epoch ?? -1)
}

/**
 * True while nobody has followed on what this directory led: its epoch is above all that the store
 * holds, or is the newest and this member's own. Without a lease there is no claim to go by: what
 * took writes stays, until somebody begins a later epoch than that of the snapshot it grew from
 * [a copy of another cluster's data was set aside at each of its starts].
 */
export function isLeading(
  lineage: Lineage,
  view: CatalogView | undefined,
  looker: Looker,
): boolean {
  const led = ledBy(withoutUnwritten(lineage, view))
  if (led < 0) return false
  const newest = view && newestEpoch(view)
  if (newest === undefined || led > newest) return true
  if (led === newest && writerOfNewestEpoch(view as CatalogView) === looker.member) return true
  const grewFrom = parseId(lineage.snapshotId ?? '')?.epoch ?? 0
  return !looker.lease && lineage.primaryIn.length > 0 && Math.max(led, grewFrom) >= newest
}

/**
 * A claim that was decided and never written gives no right: its promotion was given up, and a
 * directory that insisted on it could neither follow nor be promoted [found by the model].
 */
function withoutUnwritten(lineage: Lineage, view: CatalogView | undefined): Lineage {
  const { claim } = lineage
  const written = view?.entries.some(({ epoch, seq }) => epoch === claim?.epoch && seq === 0)
  return written === false ? { ...lineage, claim: null } : lineage
}

/** @param view of a partial one, all is read unless there is a candidate: see readToRestore */
export function storeStateOf(view: PartialView): StoreState {
  if (!isInitialised(view)) return 'never-initialised'
  const plan = restoreCandidates(view)
  if (plan.candidates.length > 0) return 'good'
  return plan.end === 'empty-beginning' && plan.skipped.length === 0 ? 'begun-empty' : 'none-good'
}

function directoryOf(
  data: WholeDirectory,
  view: CatalogView | undefined,
  looker: Looker,
): Directory {
  const { lineage } = data
  if (lineage === 'damaged') return 'damaged'
  if (lineage === undefined) return isAllOwn(view, looker.member) ? 'unmarked-own' : 'unmarked'
  const clusterId = view && clusterIdOf(view)
  if (clusterId !== undefined && clusterId !== lineage.clusterId) return 'foreign'
  if (isLeading(lineage, view, looker)) return 'leading'
  return lineage.primaryIn.length === 0 ? 'pristine' : 'overtaken'
}

/**
 * Only epoch 0, or only the claim of an empty beginning, and all by this member: then the directory
 * beside it is what they were made of [killed between its first start and its first lineage].
 */
function isAllOwn(view: CatalogView | undefined, member: string): boolean {
  if (view === undefined || view.entries.length === 0) return false
  return view.entries.every(
    (entry) =>
      entry.kind === 'snapshot' &&
      entry.manifest.writer === member &&
      (entry.epoch === 0 || entry.manifest.object === null),
  )
}

function writerOfNewestEpoch(view: CatalogView): string | undefined {
  const epoch = newestEpoch(view)
  const ofEpoch = snapshotsOf(view).filter((snapshot) => snapshot.epoch === epoch)
  return (ofEpoch.find((snapshot) => snapshot.seq === 0) ?? ofEpoch[0])?.manifest.writer
}

/** A published snapshot was made of this directory since it began to lead. */
function isCovered(
  directory: Directory,
  data: WholeDirectory,
  view: CatalogView,
  member: string,
): boolean {
  const newest = restoreCandidates(view).candidates[0]
  if (newest?.manifest.writer !== member) return false
  if (directory === 'unmarked-own') return true
  if (typeof data.lineage !== 'object') return false
  // A claim holds what an earlier epoch published: nothing that came since.
  return newest.epoch === ledBy(data.lineage) && newest.seq > 0
}

function compare(version: string, engine: string | undefined): Situation['version'] {
  if (engine === undefined) return 'unknown'
  const order = compareVersions(version, engine)
  return order === 0 ? 'same' : order < 0 ? 'older' : 'newer'
}
