import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MIB, type Bench } from './bench.ts'
import { COST, costOf, DISK, perMiBGrowth, WALL_GROWTH } from './columns.ts'
import { startGateway } from './gateway.ts'
import { measure, measureAll, type Command } from './measure.ts'
import { peersOn } from './peers.ts'
import { runsFor, settleDisk } from './publish.ts'
import type { Recorder } from './recorder.ts'
import type { Scenario } from './scenario.ts'

const OURS = 'fetcher restore'

export const restore: Scenario = {
  name: 'restore',
  sentence: 'from the bucket to a directory that is whole and on disk; ours checks every hash',
  columns: [...COST, DISK, WALL_GROWTH],
  goals: [
    { column: 'wall', how: OURS, against: 'aws s3 cp, tar, sync', most: 0.6 },
    { column: 'peak memory', how: OURS, most: 160, hard: true },
    { column: DISK.name, how: OURS, most: 1.02 },
    { column: WALL_GROWTH.name, how: OURS, most: 1.1 },
  ],
  run: async (bench, record) => {
    for (const size of bench.sizes) await restoreSize(bench, record, size)
    perMiBGrowth(record.rows)
  },
}

async function restoreSize(bench: Bench, record: Recorder, sizeMiB: number): Promise<void> {
  const directory = await bench.directory(`restore-${sizeMiB}`)
  await using gateway = await startGateway(directory)
  const what = `${sizeMiB} MiB`
  const file = await bench.snapshot(sizeMiB)
  const env = { ...process.env, ...gateway.env }
  const [node, disk] = [process.execPath, join(directory, 'disk')]
  const [out, copy] = [join(disk, 'out'), join(disk, 'copy.snapshot')]
  const store = ['--store', `s3://${gateway.bucket}/ours`]
  const peers = peersOn(gateway)
  await measure([node, bench.programs.uploader, 'publish', file, ...store], env)
  const unpack: Command[] = [
    ['tar', '-xzf', copy, '-C', out],
    ['sync', '-f', out],
  ]
  const attempt = (how: string, commands: Command[], ours = false) =>
    record.attempt({ what, how, ours }, async () => {
      await rm(disk, { recursive: true, force: true })
      await mkdir(out, { recursive: true })
      settleDisk(bench, directory)
      const cost = await measureAll(commands, env, disk)
      return { ...costOf(cost), [DISK.name]: cost.diskBytes / (sizeMiB * MIB) }
    })
  for (let run = 1; run <= runsFor(bench, sizeMiB); run++) {
    const restoring = [bench.programs.fetcher, 'restore', ...store, '--data-dir', out] as const
    await attempt(OURS, [[node, ...restoring]], true)
    for (const { name, missing, up, down } of peers) {
      const how = `${name}, tar, sync`
      if (missing !== undefined) {
        record.skip({ what, how }, missing)
        continue
      }
      // One object for all of them: whoever comes first puts it there.
      if (run === 1) await measure(up(file, name), env).catch(() => {})
      await attempt(how, [down(name, copy), ...unpack])
    }
  }
  await rm(directory, { recursive: true, force: true })
}
