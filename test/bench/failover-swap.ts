import { eventsOf } from '../uploader/programs.ts'
import { Workload } from '../demo/workload.ts'
import { longestOutage } from '../demo/outage.ts'
import { until } from '../harness/until.ts'
import { settled, type Ground } from './failover-scene.ts'

export interface Swaps {
  swaps: number
  reads: number
  readsFailed: number
  /** The longest time without an answered read. */
  readGapMs: number
}

/** Readers go on through the router while the standby swaps snapshot after snapshot. */
export async function watchSwaps(ground: Ground, atLeast: number): Promise<Swaps> {
  const [, standby] = await settled(ground)
  const swapped = () =>
    eventsOf(standby.parts.fetcher).filter(({ event }) => event === 'follow.swapped').length
  const before = swapped()
  const began = Date.now()
  // Writers too, as nothing is published where nothing changes.
  const work = new Workload(ground.scene.router.url, ground.nextId, { clients: 4 })
  try {
    const timeoutMs = 30_000 * atLeast
    await until(`${atLeast} swaps`, () => swapped() - before >= atLeast, {
      timeoutMs,
      everyMs: 100,
    })
  } finally {
    await work.stop()
    ground.nextId = work.nextId
  }
  const outage = longestOutage(work.searches, began)
  return {
    swaps: swapped() - before,
    reads: work.searches.length,
    readsFailed: work.searches.filter(({ ok }) => !ok).length,
    readGapMs: outage ? outage.until - outage.from : 0,
  }
}
