import { execFileSync } from 'node:child_process'
import type { Bench } from './bench.ts'
import { COST, costOf, perMiBGrowth, WALL_GROWTH } from './columns.ts'
import { startGateway } from './gateway.ts'
import { measure, type Command } from './measure.ts'
import { peersOn } from './peers.ts'
import type { Recorder } from './recorder.ts'
import type { Scenario } from './scenario.ts'

const OURS = 'uploader publish'
const UNVERIFIED = 'uploader publish, not verified'
const VERIFICATION = 'verification alone (part of ours)'

/** What is larger takes minutes. */
const FEW_RUNS_ABOVE_MIB = 2048

export const publish: Scenario = {
  name: 'publish',
  sentence: 'a snapshot file into the bucket; ours verifies and hashes it, the others do not',
  columns: [...COST, WALL_GROWTH],
  goals: [
    { column: 'wall', how: OURS, against: 'aws s3 cp', most: 1 },
    { column: 'CPU', how: OURS, against: 'aws s3 cp', most: 1 },
    { column: 'peak memory', how: OURS, most: 160, hard: true },
    { column: 'wall', how: OURS, against: UNVERIFIED, most: 1.1 },
    { column: WALL_GROWTH.name, how: OURS, most: 1.1 },
  ],
  run: async (bench, record) => {
    for (const size of bench.sizes) await publishSize(bench, record, size)
    perMiBGrowth(record.rows)
  },
}

/** What the last way wrote is on its way to the disk still, and would be paid by the next. */
export function settleDisk({ quick }: Bench, directory: string): void {
  if (!quick) execFileSync('sync', ['-f', directory])
}

export function runsFor({ runs }: Bench, sizeMiB: number): number {
  return sizeMiB > FEW_RUNS_ABOVE_MIB ? Math.min(runs, 2) : runs
}

/**
 * Each run does everything once, so that a busy minute of the machine falls on all ways alike; every other
 * run in the opposite order, since whoever comes later finds a busier disk.
 */
async function publishSize(bench: Bench, record: Recorder, sizeMiB: number): Promise<void> {
  const what = `${sizeMiB} MiB`
  const directory = await bench.directory(`publish-${sizeMiB}`)
  await using gateway = await startGateway(directory)
  const file = await bench.snapshot(sizeMiB)
  const env = { ...process.env, ...gateway.env }
  const node = process.execPath
  const { programs } = bench
  const ways: { how: string; command: Command; ours?: boolean }[] = []
  const store = `s3://${gateway.bucket}/ours`
  const publishing = [node, programs.uploader, 'publish', file, '--store', store] as const
  ways.push({ how: OURS, command: publishing, ours: true })
  const unverified = [node, programs['upload-file'], file, `${store}-unverified`] as const
  ways.push({ how: UNVERIFIED, command: unverified })
  for (const { name, missing, up } of peersOn(gateway)) {
    if (missing === undefined) ways.push({ how: name, command: up(file, 'peer') })
    else record.skip({ what, how: name }, missing)
  }
  const sdk = [node, programs['lib-storage-upload'], file, gateway.bucket, 'lib'] as const
  ways.push({ how: 'lib-storage, its defaults', command: sdk })
  ways.push({ how: VERIFICATION, command: [node, programs['verify-file'], file] })
  for (let run = 1; run <= runsFor(bench, sizeMiB); run++) {
    for (const { how, command, ours = false } of run % 2 === 1 ? ways : ways.toReversed()) {
      await record.attempt({ what, how, ours }, async () => {
        settleDisk(bench, directory)
        return costOf(await measure(command, env))
      })
      await gateway.empty()
    }
  }
}
