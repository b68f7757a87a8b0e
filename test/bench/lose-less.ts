import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startMeilisearch, which } from '../harness/meilisearch.ts'
import type { Bench } from './bench.ts'
import { fill } from './documents.ts'
import { lossWindows } from './loss-window.ts'
import { median, type Recorder } from './recorder.ts'
import type { Scenario, Values } from './scenario.ts'
import { watchSnapshots, type SnapshotListing } from './snapshots-listed.ts'
import { startSteadyWriter } from './steady-writer.ts'

const EVERY = '--every 5s --max-duty 20%'
const NEVER = 'no snapshots'
/** What is larger takes minutes to fill and to snapshot. */
const ONE_RUN_ABOVE_MIB = 500

export const loseLess: Scenario = {
  name: 'lose-less',
  sentence: 'a steady writer: how long a write may be lost in a crash, and what snapshots cost it',
  columns: [
    { name: 'loss, median', unit: 's' },
    { name: 'loss, longest', unit: 's', of: 'highest' },
    { name: 'written', unit: 'documents/s', digits: 0, spread: true, ratio: true },
    { name: 'snapshots', unit: '', digits: 0 },
    { name: 'one takes', unit: 's', digits: 2 },
    { name: 'snapshotting', unit: '% of the time', digits: 1 },
    { name: 'watched', unit: 's', digits: 0 },
  ],
  goals: [{ column: 'snapshotting', how: EVERY, most: 20 }],
  run: async (bench, record) => {
    for (const size of bench.dataSizes) await withSize(bench, record, size)
  },
}

/** A way to make snapshots, or none. */
interface Way {
  how: string
  ours?: boolean
  /** Of Meilisearch. */
  args: string[]
  /** Of the uploader; undefined = there is none. */
  flags?: string[]
  /** Its first snapshot begins what is measured; else it is measured from the start of Meilisearch. */
  afterFirst: boolean
  /** It is over with a snapshot that is listed after so long. */
  seconds: number
}

async function withSize(bench: Bench, record: Recorder, sizeMiB: number): Promise<void> {
  const directory = await bench.directory(`lose-less-${sizeMiB}`)
  const what = `${sizeMiB} MiB of documents, ${which()}`
  const filled = join(directory, 'filled.ms')
  bench.say(`filling Meilisearch with ${sizeMiB} MiB`)
  {
    await using meili = await startMeilisearch({ dbPath: filled })
    await fill(meili, sizeMiB)
    await meili.kill('SIGTERM')
  }
  const seconds = bench.quick ? 1 : 60
  const flags = ['--every', bench.quick ? '1s' : '5s', '--max-duty', '20%']
  const how = bench.quick ? flags.join(' ') : EVERY
  const every = { how, ours: true, args: [], flags, afterFirst: true, seconds }
  const never = { how: NEVER, args: [], afterFirst: false, seconds }
  const attempt = (way: Way) =>
    record.attempt({ what, how: way.how, ours: way.ours ?? false }, () =>
      measureWay(bench, join(directory, 'member'), filled, way),
    )
  const runs = sizeMiB > ONE_RUN_ABOVE_MIB ? 1 : bench.runs
  // Whoever goes first may have the quieter machine.
  for (let run = 1; run <= runs; run++) {
    for (const way of run % 2 === 1 ? [every, never] : [never, every]) await attempt(way)
  }
  const interval = bench.quick ? 2 : 300
  const fixed = `--schedule-snapshot=${interval}`
  if (sizeMiB === bench.dataSizes[0]) {
    // Its interval begins with the start of Meilisearch: one of it shows all.
    await attempt({ how: fixed, args: [fixed], flags: [], afterFirst: false, seconds: 0 })
  } else {
    const why = `it takes ${interval} s at any size: see ${bench.dataSizes[0]} MiB`
    record.skip({ what, how: fixed }, why)
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
}

async function measureWay(
  bench: Bench,
  directory: string,
  filled: string,
  { args, flags, afterFirst, seconds }: Way,
): Promise<Values> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  const [dbPath, snapshotDir] = [join(directory, 'data.ms'), join(directory, 'snapshots')]
  await mkdir(snapshotDir, { recursive: true })
  await cp(filled, dbPath, { recursive: true })
  await using meili = await startMeilisearch({ dbPath, snapshotDir, args })
  const writer = startSteadyWriter(meili)
  const began = performance.now()
  if (flags === undefined) {
    await sleep(seconds * 1000)
    const watched = (performance.now() - began) / 1000
    const written = writer.indexed() / watched
    await writer.stop()
    return { written, watched, snapshots: 0 }
  }
  await using snapshots = await watchSnapshots(bench, directory, meili.url, flags)
  // The first one covers whatever came before, and isn't one of the rhythm that is measured.
  const first = afterFirst ? await snapshots.next() : undefined
  const [from, indexedBefore] = [first?.at ?? began, writer.indexed()]
  const listings: SnapshotListing[] = []
  do listings.push(await snapshots.next())
  while (performance.now() - from < seconds * 1000)
  const watched = (performance.now() - from) / 1000
  const written = (writer.indexed() - indexedBefore) / watched
  await writer.stop()
  const counted = writer.writes.filter(({ taskUid }) => taskUid > (first?.lastTaskUid ?? -1))
  const losses = lossWindows(counted, listings).map((ms) => ms / 1000)
  const costs = listings.map(({ tookMs }) => tookMs / 1000)
  return {
    'loss, median': median(losses),
    'loss, longest': Math.max(...losses),
    written,
    snapshots: listings.length,
    'one takes': median(costs),
    snapshotting: 100 * (first ? shareOf([first, ...listings]) : (costs[0] ?? 0) / watched),
    watched,
  }
}

/** Of the time from the first one's beginning to that of the last, which rests for what it cost afterwards. */
function shareOf(snapshots: readonly SnapshotListing[]): number {
  const [first, last] = [snapshots[0], snapshots.at(-1)]
  if (!first || !last) return NaN
  const spent = snapshots.slice(0, -1).reduce((sum, { tookMs }) => sum + tookMs, 0)
  return spent / (last.beganAt - first.beganAt)
}
