import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { startProgress } from '@meili-ha/core/cli/progress.ts'
import type { PartialView } from '@meili-ha/core/catalog/catalog-view.ts'
import { inspectDataDirectory, type DataDirectory } from '@meili-ha/core/data-dir/inspect.ts'
import { dataPaths } from '@meili-ha/core/data-dir/paths.ts'
import { assertNotOpen } from '@meili-ha/core/data-dir/open-by.ts'
import { withSoleUse } from '@meili-ha/core/data-dir/sole-use.ts'
import { finishSwap, swapIn } from '@meili-ha/core/data-dir/swap.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { chooseSnapshot, type Choice } from './choose-snapshot.ts'
import { fetchSnapshot } from './fetch-snapshot.ts'
import { readToRestore, restoreNewest } from './restore-newest.ts'
import { setAsidePath, type Outcome, type RestoreOptions } from './restore.ts'

/**
 * Restores what a person chose: a snapshot by name or time, in place or elsewhere. What lies in
 * place is set aside; a directory elsewhere must be new.
 * @param to undefined = in place; that directory itself becomes what data.ms is
 * @throws STORE_NOT_FOUND, SNAPSHOT_*, VERSION_*, WRONG_CLUSTER, DISK_FULL, USAGE, STORE_*,
 * DATA_DIR_IN_USE
 */
export async function restoreChoice(
  host: Host,
  choice: Choice,
  to: string | undefined,
  member: RestoreOptions,
): Promise<Outcome> {
  const paths = to === undefined ? member.paths : dataPaths('/', { MEILI_DB_PATH: resolve(to) })
  return withSoleUse(paths, member.signal, async () => {
    try {
      return await restoreInto(host, choice, to, { ...member, paths })
    } finally {
      // Elsewhere nothing but the directory is left; who waited there is refused.
      if (to !== undefined) await rm(paths.lock, { force: true })
    }
  })
}

async function restoreInto(
  host: Host,
  choice: Choice,
  to: string | undefined,
  member: RestoreOptions,
): Promise<Outcome> {
  const { paths, patience, catalog, log } = member
  const before = await inspectDataDirectory(paths.live)
  const nothing = before.state === 'absent' || before.state === 'empty'
  if (to !== undefined && !nothing) {
    throw new MeiliHaError('USAGE', `--to ${to} is there already, and not empty`, {
      hint: 'Name a directory that does not exist yet.',
    })
  }
  await assertNotOpen(paths.live)
  const named = choice.id !== undefined || choice.at !== undefined
  const chosen = named
    ? chooseSnapshot(await patience.insist(() => catalog.read()), choice)
    : undefined
  const newest = chosen ? undefined : await patience.insist(() => readToRestore(catalog))
  if (to === undefined) {
    await finishSwap(paths)
    assertSameCluster(before, chosen?.manifest.clusterId)
  }

  const progress = startProgress(host, log, 'restore', chosen?.manifest.object.size)
  const options = { ...member, onBytes: (bytes: number) => progress.add(bytes) }
  const primaryIn = member.takesWrites || to !== undefined ? [0] : []
  try {
    if (chosen) await fetchSnapshot(chosen, primaryIn, options)
    const restored = chosen ?? (await restoreNewest(newest as PartialView, primaryIn, options))
    // Even what its lineage calls unwritten: nobody asked its Meilisearch for stray writes.
    const setAside = nothing ? null : setAsidePath(before, options, member.now())
    await swapIn(paths, setAside ?? paths.replaced)
    const action = setAside === null ? 'restore' : 'set-aside'
    return { action, snapshotId: restored.id, setAside }
  } finally {
    progress.end()
  }
}

function assertSameCluster(data: DataDirectory, clusterId: string | undefined): void {
  if (data.state !== 'whole' || typeof data.lineage !== 'object') return
  if (clusterId === undefined || data.lineage.clusterId === clusterId) return
  throw new MeiliHaError(
    'WRONG_CLUSTER',
    `the data directory is of cluster ${data.lineage.clusterId}, the snapshot of ${clusterId}`,
  )
}
