import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startMeilisearch, which } from '../harness/meilisearch.ts'
import type { Bench } from './bench.ts'
import { fill, takeSnapshot } from './documents.ts'
import { startGateway } from './gateway.ts'
import { measureAll, type Command } from './measure.ts'
import { peersOn } from './peers.ts'
import type { Recorder } from './recorder.ts'
import type { Scenario } from './scenario.ts'

const OURS = 'fetcher restore, start'
const IMPORT = 'aws s3 cp, --import-snapshot'

export const serve: Scenario = {
  name: 'serve',
  sentence: 'from the bucket to a Meilisearch that answers /health, of its own snapshots',
  columns: [
    { name: 'wall', unit: 's', digits: 2, spread: true, ratio: true },
    { name: 'of it Meilisearch', unit: 's', digits: 2 },
  ],
  goals: [{ column: 'wall', how: OURS, against: IMPORT, most: 0.6 }],
  run: async (bench, record) => {
    for (const size of bench.dataSizes) await serveSize(bench, record, size)
  },
}

/** A snapshot of a Meilisearch that was filled with so much, in `directory`. */
export async function realSnapshot(directory: string, sizeMiB: number): Promise<string> {
  const snapshotDir = join(directory, 'source', 'snapshots')
  await using meili = await startMeilisearch({
    dbPath: join(directory, 'source', 'data.ms'),
    snapshotDir,
  })
  await fill(meili, sizeMiB)
  const path = join(directory, 'real.snapshot')
  await copyFile(await takeSnapshot(meili, snapshotDir), path)
  await rm(join(directory, 'source'), { recursive: true, maxRetries: 5 })
  return path
}

async function serveSize(bench: Bench, record: Recorder, sizeMiB: number): Promise<void> {
  const directory = await bench.directory(`serve-${sizeMiB}`)
  await using gateway = await startGateway(directory)
  const what = `${sizeMiB} MiB of documents, ${which()}`
  bench.say(`filling Meilisearch with ${sizeMiB} MiB`)
  const file = await realSnapshot(directory, sizeMiB)
  const env = { ...process.env, ...gateway.env }
  const [node, root] = [process.execPath, join(directory, 'member')]
  const [dbPath, copy] = [join(root, 'data.ms'), join(root, 'copy.snapshot')]
  const store = ['--store', `s3://${gateway.bucket}/ours`]
  await measureAll([[node, bench.programs.uploader, 'publish', file, ...store]], env)

  const attempt = (how: string, commands: Command[], args: string[] = [], ours = false) =>
    record.attempt({ what, how, ours }, async () => {
      await rm(root, { recursive: true, force: true, maxRetries: 5 })
      await mkdir(root)
      const { wallMs } = await measureAll(commands, env)
      const began = performance.now()
      await using _ = await startMeilisearch({ dbPath, args })
      const startMs = performance.now() - began
      return { wall: (wallMs + startMs) / 1000, 'of it Meilisearch': startMs / 1000 }
    })
  for (let run = 1; run <= bench.runs; run++) {
    const restoring = [bench.programs.fetcher, 'restore', ...store, '--data-dir', root] as const
    await attempt(OURS, [[node, ...restoring]], [], true)
    for (const { name, missing, up, down } of peersOn(gateway)) {
      const rows = [`${name}, --import-snapshot`, `${name}, tar, start`] as const
      if (missing !== undefined) {
        for (const how of rows) record.skip({ what, how }, missing)
        continue
      }
      if (run === 1) await measureAll([up(file, name)], env).catch(() => {})
      const download = down(name, copy)
      await attempt(rows[0], [download], ['--import-snapshot', copy])
      const unpack: Command[] = [
        ['mkdir', dbPath],
        ['tar', '-xzf', copy, '-C', dbPath],
      ]
      await attempt(rows[1], [download, ...unpack])
    }
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
}
