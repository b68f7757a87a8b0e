import type { LeaseRecord } from '@meili-ha/lease-keeper/lease/lease.ts'
import type { Cluster } from '../cluster/cluster.ts'

/** What the lease of a cluster on a directory says now. */
export async function newestRecord({ store }: Cluster): Promise<LeaseRecord> {
  const keys = (await store.list('lease/')).map(({ key }) => key).toSorted()
  const { body } = await store.get(keys.at(-1)!)
  return JSON.parse(body.toString()) as LeaseRecord
}
