import * as z from 'zod'
import { isError, MeiliHaError } from '../errors.ts'
import type { Store } from '../store/store.ts'
import { snapshotsOf, type PartialView } from './catalog-view.ts'

export const CLUSTER_KEY = 'cluster.json'

const clusterSchema = z.looseObject({
  clusterId: z.string().min(1).max(100),
  createdAt: z.iso.datetime(),
})

/** Says whose snapshots these are, so that two clusters can't share a prefix. */
export type ClusterRecord = z.infer<typeof clusterSchema>

/**
 * Undefined when there is none.
 * @throws WRONG_CLUSTER when there is one that can't be read: nobody can tell whose store it is.
 */
export async function readCluster(store: Store): Promise<ClusterRecord | undefined> {
  let text: string
  try {
    text = (await store.get(CLUSTER_KEY)).body.toString()
  } catch (error) {
    if (isError(error, 'STORE_NOT_FOUND')) return undefined
    throw error
  }
  try {
    return clusterSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new MeiliHaError('WRONG_CLUSTER', `${CLUSTER_KEY} in ${store.url} can't be read`, {
      cause,
      hint: 'Look at it; if it is damaged, remove it: it is written anew with the cluster id that the data directory knows.',
    })
  }
}

/**
 * Makes sure that the store is this cluster's: creates cluster.json where it is missing (at
 * bootstrap, or because a lifecycle rule removed it), else compares.
 * What is there is read back, since the store may ignore the condition, or the answer be lost.
 * @throws WRONG_CLUSTER when it is another's.
 */
export async function ensureCluster(store: Store, wanted: ClusterRecord): Promise<ClusterRecord> {
  let found = await readCluster(store)
  if (!found) {
    try {
      await store.put(CLUSTER_KEY, `${JSON.stringify(wanted)}\n`, { ifNoneMatch: '*' })
    } catch (error) {
      if (!isError(error, 'STORE_CONFLICT', 'STORE_UNREACHABLE')) throw error
      found = await readCluster(store)
      if (!found) throw error
    }
    found ??= await readCluster(store)
  }
  if (found?.clusterId !== wanted.clusterId) throw wrongCluster(wanted.clusterId, found?.clusterId)
  return found
}

/**
 * The id of the cluster whose snapshots these are: cluster.json's, or where that was removed,
 * the newest manifest's. Undefined in a store that nobody has used.
 */
export function clusterIdOf(view: PartialView): string | undefined {
  return view.cluster?.clusterId ?? snapshotsOf(view)[0]?.manifest.clusterId
}

/** @throws WRONG_CLUSTER when cluster.json or any manifest that was read belongs to another cluster. */
export function assertCluster(view: PartialView, clusterId: string): void {
  const ids = snapshotsOf(view).map((snapshot) => snapshot.manifest.clusterId)
  if (view.cluster) ids.push(view.cluster.clusterId)
  const other = ids.find((id) => id !== clusterId)
  if (other !== undefined) throw wrongCluster(clusterId, other)
}

function wrongCluster(wanted: string, found: string | undefined): MeiliHaError {
  return new MeiliHaError(
    'WRONG_CLUSTER',
    `the store belongs to cluster ${found ?? '(cluster.json vanished)'}, not to ${wanted}`,
  )
}
