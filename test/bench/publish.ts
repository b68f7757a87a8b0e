import type { Bench } from './bench.ts'
import { COST, costOf } from './columns.ts'
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
  columns: COST,
  goals: [
    { column: 'wall', how: OURS, against: 'aws s3 cp', most: 1 },
    { column: 'CPU', how: OURS, against: 'aws s3 cp', most: 1 },
    { column: 'peak memory', how: OURS, most: 160, hard: true },
    { column: 'wall', how: OURS, against: UNVERIFIED, most: 1.1 },
  ],
  run: async (bench, record) => {
    for (const size of bench.sizes) await publishSize(bench, record, size)
  },
}

export function runsFor({ runs }: Bench, sizeMiB: number): number {
  return sizeMiB > FEW_RUNS_ABOVE_MIB ? Math.min(runs, 2) : runs
}

/** Each run does everything once, so that a busy minute of the machine falls on all ways alike. */
async function publishSize(bench: Bench, record: Recorder, sizeMiB: number): Promise<void> {
  const what = `${sizeMiB} MiB`
  await using gateway = await startGateway(await bench.directory(`publish-${sizeMiB}`))
  const file = await bench.snapshot(sizeMiB)
  const env = { ...process.env, ...gateway.env }
  const node = process.execPath
  const { programs } = bench
  for (let run = 1; run <= runsFor(bench, sizeMiB); run++) {
    const attempt = (how: string, command: Command, ours = false) =>
      record.attempt({ what, how, ours }, async () => costOf(await measure(command, env)))
    const store = `s3://${gateway.bucket}/ours-${run}`
    await attempt(OURS, [node, programs.uploader, 'publish', file, '--store', store], true)
    for (const { name, missing, up } of peersOn(gateway)) {
      if (missing !== undefined) record.skip({ what, how: name }, missing)
      else await attempt(name, up(file, `peer-${run}`))
    }
    const sdk = [programs['lib-storage-upload'], file, gateway.bucket, `lib-${run}`] as const
    await attempt('lib-storage, its defaults', [node, ...sdk])
    const unverified = [programs['upload-file'], file, `${store}-unverified`] as const
    await attempt(UNVERIFIED, [node, ...unverified])
    await attempt(VERIFICATION, [node, programs['verify-file'], file])
    await gateway.empty()
  }
}
