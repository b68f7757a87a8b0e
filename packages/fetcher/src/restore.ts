import { randomUUID } from 'node:crypto'
import type { CatalogView, PartialView } from '@meili-ha/core/catalog/catalog-view.ts'
import { newestEpoch } from '@meili-ha/core/catalog/catalog-view.ts'
import { clusterIdOf } from '@meili-ha/core/catalog/cluster.ts'
import { formatUtc } from '@meili-ha/core/catalog/names.ts'
import type { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import { restoreCandidates } from '@meili-ha/core/catalog/restore-candidates.ts'
import { inspectDataDirectory, type DataDirectory } from '@meili-ha/core/data-dir/inspect.ts'
import { divergedPath } from '@meili-ha/core/data-dir/paths.ts'
import { finishSwap, swapIn } from '@meili-ha/core/data-dir/swap.ts'
import { writeLineage, writeVersion } from '@meili-ha/core/data-dir/write-lineage.ts'
import { isError, MeiliHaError } from '@meili-ha/core/errors.ts'
import { decide, type Situation, type Verdict, type Wishes } from './decide.ts'
import type { FetchOptions } from './fetch-snapshot.ts'
import { readToRestore, restoreNewest } from './restore-newest.ts'
import { ledBy, situationOf, situationWithout } from './situation.ts'

export interface RestoreOptions extends FetchOptions {
  catalog: CatalogReader
  /** `--member`. */
  member: string
  wishes: Wishes
  /** Nobody else leads, so Meilisearch will take writes here: `restore` without guard and lease. */
  takesWrites: boolean
  /** Wall clock, for the name of what is set aside. */
  now: () => Date
}

/** What was found, and what is to be done about it. */
export interface Judgement {
  verdict: Verdict
  data: DataDirectory
  /** Undefined: the store couldn't be reached, because of `unreachable`. */
  view: PartialView | undefined
  unreachable: MeiliHaError | undefined
}

/** What became of the data directory, for the person and for `--json`. */
export interface Outcome {
  action: Exclude<Verdict, object>
  /** The snapshot that was restored now; null = none was. */
  snapshotId: string | null
  /** Where the former directory is kept, when it was set aside. */
  setAside: string | null
}

/** Looks at the directory and the store, and decides; changes nothing but a half-done swap. */
export async function judge(options: RestoreOptions): Promise<Judgement> {
  const { paths, catalog, log } = options
  if (await finishSwap(paths)) {
    log.warn({ event: 'restore.finished' }, 'finished the swap that a killed fetcher had begun')
  }
  const data = await inspectDataDirectory(paths.live)
  try {
    if (data.state === 'whole') {
      const view = await catalog.read()
      return { ...weigh(data, view, options), data, view, unreachable: undefined }
    }
    const view = await readToRestore(catalog)
    const verdict = decide(situationWithout(data.state, view), options.wishes)
    return { verdict, data, view, unreachable: undefined }
  } catch (error) {
    if (!isStoreAway(error)) throw error
    log.warn({ event: 'store.unreachable', err: error }, error.message)
    return { ...weigh(data, undefined, options), data, view: undefined, unreachable: error }
  }
}

/** The decision alone: what is on disk against what the store said. */
export function weigh(
  data: DataDirectory,
  view: CatalogView | undefined,
  { member, wishes, engine }: Pick<RestoreOptions, 'member' | 'wishes' | 'engine'>,
): { situation: Situation; verdict: Verdict } {
  const situation = situationOf(data, view, { member, lease: wishes.lease, engine })
  return { situation, verdict: decide(situation, wishes) }
}

/** Carries out a judgement; Meilisearch must not run on the directory unless the verdict is to keep. */
export async function carryOut(judgement: Judgement, options: RestoreOptions): Promise<Outcome> {
  const { verdict, data, view, unreachable } = judgement
  const { paths, engine } = options
  if (typeof verdict === 'object') throw failure(verdict, view)
  if (verdict === 'restore' || verdict === 'set-aside') {
    return replaceLive(judgement, verdict, options)
  }
  if (verdict === 'wait-for-store') throw unreachable ?? new Error('the store was reached')
  if (verdict === 'adopt') await adopt(view, options)
  if (verdict === 'upgrade') await writeVersion(paths.live, engine as string)
  const kept = verdict === 'keep' || verdict === 'keep-unready' || verdict === 'upgrade'
  if (kept && options.takesWrites) await noteWrites(data, options)
  return { action: verdict, snapshotId: null, setAside: null }
}

async function replaceLive(
  { data, view }: Judgement,
  verdict: 'restore' | 'set-aside',
  options: RestoreOptions,
): Promise<Outcome> {
  const { paths, takesWrites, log, now } = options
  const snapshot = await restoreNewest(view as PartialView, takesWrites ? [0] : [], options)
  const setAside = verdict === 'set-aside' ? setAsidePath(data, options, now()) : null
  if (setAside !== null) {
    log.warn({ event: 'restore.set_aside', path: setAside }, `what was there is kept: ${setAside}`)
  }
  await swapIn(paths, setAside ?? paths.replaced)
  log.info({ event: 'restore.done', id: snapshot.id }, `restored ${snapshot.id}`)
  return { action: verdict, snapshotId: snapshot.id, setAside }
}

/** Where a directory goes that a person may still want. */
export function setAsidePath(
  data: DataDirectory,
  { paths }: Pick<RestoreOptions, 'paths'>,
  now: Date,
): string {
  const lineage = 'lineage' in data && typeof data.lineage === 'object' ? data.lineage : undefined
  const epoch = lineage ? Math.max(0, ledBy(lineage)) : 0
  return divergedPath(paths, epoch, formatUtc(now))
}

/** What was there before meili-ha, or before its first publication, becomes this cluster's. */
async function adopt(view: PartialView | undefined, { paths, log }: RestoreOptions): Promise<void> {
  const clusterId = (view && clusterIdOf(view)) ?? randomUUID()
  const epoch = (view && newestEpoch(view)) ?? 0
  await writeLineage(paths.live, {
    format: 1,
    clusterId,
    snapshotId: null,
    tarball: null,
    primaryIn: [epoch],
    claim: null,
    lastTaskUid: null,
  })
  log.info({ event: 'restore.adopted', clusterId, epoch }, `adopted ${paths.live}`)
}

/** The directory takes writes from now on: it may never be replaced unasked. */
async function noteWrites(data: DataDirectory, { paths }: RestoreOptions): Promise<void> {
  const lineage = 'lineage' in data ? data.lineage : undefined
  if (typeof lineage !== 'object' || lineage.primaryIn.length > 0) return
  await writeLineage(paths.live, { ...lineage, primaryIn: [0] })
}

/** The catalog knows best why nothing in it may be taken. */
function failure(verdict: Extract<Verdict, object>, view: PartialView | undefined): MeiliHaError {
  if (verdict.fail === 'SNAPSHOT_NONE_GOOD' && view) return restoreCandidates(view).exhausted
  const hint = verdict.hint === undefined ? {} : { hint: verdict.hint }
  return new MeiliHaError(verdict.fail, verdict.because, hint)
}

/** Whatever keeps the store from answering; what is on disk doesn't become worse by it. */
export function isStoreAway(error: unknown): error is MeiliHaError {
  return isError(
    error,
    'STORE_UNREACHABLE',
    'STORE_DENIED',
    'STORE_NO_BUCKET',
    'STORE_REFUSED',
    'STORE_CHECKSUM',
  )
}
