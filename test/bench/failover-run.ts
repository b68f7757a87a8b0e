import { setTimeout as sleep } from 'node:timers/promises'
import { BREAKAGES, type Kill } from '../demo/breakage.ts'
import { failedSince } from '../demo/failover-table.ts'
import { lostWrites } from '../demo/lost-writes.ts'
import { longestOutage, type Outage } from '../demo/outage.ts'
import { Workload, type Done } from '../demo/workload.ts'
import { until } from '../harness/until.ts'
import { PATIENCE, settled, type Ground } from './failover-scene.ts'

/** What one run showed; times in milliseconds. */
export interface Sample {
  /** From the fault to the first write that was acknowledged once the outage was over. */
  firstWriteMs: number
  /** From the fault to the answer to the first read that was sent after it. */
  firstReadMs: number
  /** The longest time in which no write was acknowledged: what clients feel. */
  writeGapMs: number
  readGapMs: number
  readsFailed: number
  acknowledged: number
  lost: number
}

/** Two that write and two that read: a gap is seen to about 25 ms. */
const CLIENTS = { clients: 2 }

/** After the fault clients go on for so long at least, so that what comes late is seen, too. */
const AFTERMATH_MS = 1500

/** Breaks the primary once, under load, and brings everything back. */
export async function runOnce(kind: Kill, ground: Ground): Promise<Sample> {
  const { scene } = ground
  const breakage = BREAKAGES[kind]
  const [old, standby] = await settled(ground)
  const work = new Workload(scene.router.url, ground.nextId, CLIENTS)
  try {
    const busy = () => work.acknowledged.length >= 20 && work.searches.some(({ ok }) => ok)
    await until('clients are served', busy, PATIENCE)
    // Anywhere between two renewals, two polls, two snapshots.
    await sleep(Math.random() * 3000)
    const at = Date.now()
    await breakage.strike(old, scene)
    const leader = breakage.movesOn ? standby : old
    await until(
      `${leader.name} leads`,
      async () => (await leader.route('/primary')) === 200,
      PATIENCE,
    )
    const ledAt = Date.now()
    const served = (done: readonly Done[]) => done.some((each) => each.ok && each.at > ledAt)
    await until(
      'clients are served again',
      () => served(work.writes) && served(work.searches),
      PATIENCE,
    )
    await sleep(AFTERMATH_MS)
    await work.stop()
    const { acknowledged, writes, searches } = work
    const lost = await lostWrites(leader, acknowledged)
    const write = outageOf(writes, at)
    const read = searches.find(({ ok, began }) => ok && began >= at)
    return {
      firstWriteMs: write.until - at,
      firstReadMs: read!.at - at,
      writeGapMs: write.until - write.from,
      readGapMs: gapOf(searches, at),
      readsFailed: failedSince(searches, at),
      acknowledged: acknowledged.length,
      lost: lost.length,
    }
  } finally {
    await work.stop()
    ground.nextId = work.nextId
    await breakage.heal(old, scene)
  }
}

/** The time without an acknowledged write; where there was no more than the clients' pace, that. */
function outageOf(done: readonly Done[], struckAt: number): Outage {
  const outage = longestOutage(done, struckAt)
  if (!outage) throw new Error('no write was acknowledged after the fault')
  return outage
}

const gapOf = (done: readonly Done[], struckAt: number): number => {
  const outage = outageOf(done, struckAt)
  return outage.until - outage.from
}
