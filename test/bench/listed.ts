import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { bigSnapshot } from '../generate/big-snapshot.ts'
import { startProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import { MIB, type Bench } from './bench.ts'
import { findTool } from './find-tool.ts'
import { startGateway, type Gateway } from './gateway.ts'
import type { Recorder } from './recorder.ts'
import type { Scenario } from './scenario.ts'

const OURS = 'uploader run'
const SIZE_MIB = 10
/** The seed's script looks this often. */
const POLL_SECONDS = 30

export const listed: Scenario = {
  name: 'listed',
  sentence: 'from the rename of a new snapshot of 10 MiB until the bucket lists it as published',
  columns: [{ name: 'wall', unit: 's', digits: 2, spread: true, ratio: true }],
  goals: [{ column: 'wall', how: OURS, most: 1 }],
  run: async (bench, record) => {
    const directory = await bench.directory('listed')
    await using gateway = await startGateway(directory)
    await watching(bench, record, directory, gateway)
    await polling(bench, record, directory, gateway)
  },
}

const what = `${SIZE_MIB} MiB`

/** Puts a new snapshot where Meilisearch would, and returns when the rename was. */
async function appear(directory: string, run: number): Promise<number> {
  const path = join(directory, 'data.ms.snapshot')
  // Another size: what is published already would not be published again.
  await bigSnapshot(`${path}.part`, SIZE_MIB * MIB + run)
  const at = performance.now()
  await rename(`${path}.part`, path)
  return at
}

async function watching(bench: Bench, record: Recorder, directory: string, gateway: Gateway) {
  const snapshots = join(directory, 'watched', 'snapshots')
  await mkdir(snapshots, { recursive: true })
  const url = `s3://${gateway.bucket}/ours`
  await using uploader = startProcess({
    command: [
      ...[process.execPath, bench.programs.uploader, 'run', '--store', url, '--listen', 'off'],
      ...['--data-dir', join(directory, 'watched'), '--log-format', 'json'],
    ],
    env: { ...gateway.env, MEILI_SNAPSHOT_DIR: snapshots },
  })
  await uploader.waitFor(/watch\.started/, 60_000)
  Object.assign(process.env, gateway.env)
  const catalog = new CatalogReader(openStore(url, { endpoint: gateway.endpoint }))
  for (let run = 1; run <= bench.runs * 2; run++) {
    await record.attempt({ what, how: OURS, ours: true }, async () => {
      const began = await appear(snapshots, run)
      const isThere = async () => (await catalog.read()).entries.length >= run
      const limits = { timeoutMs: 60_000, everyMs: 10 }
      await until('it is listed', isThere, limits).catch((cause: unknown) => {
        throw new Error(uploader.output(), { cause })
      })
      return { wall: (performance.now() - began) / 1000 }
    })
  }
  catalog.store.close()
}

/** The seed's script, as it is usually written; it knows nothing of manifests: the object is all. */
async function polling(bench: Bench, record: Recorder, directory: string, gateway: Gateway) {
  const seconds = bench.quick ? 1 : POLL_SECONDS
  const row = { what, how: `a shell loop with aws s3 cp, sleep ${seconds}` }
  const aws = findTool('aws', 'AWSCLI')
  if (aws === undefined) {
    record.skip(row, 'no awscli on PATH or in AWSCLI')
    return
  }
  const snapshots = join(directory, 'polled')
  await mkdir(snapshots)
  const file = join(snapshots, 'data.ms.snapshot')
  const script = `touch -d @0 '${file}.seen'; while sleep ${seconds}; do
    if [ '${file}' -nt '${file}.seen' ]; then
      touch '${file}.seen'; '${aws}' s3 cp --quiet '${file}' s3://${gateway.bucket}/latest && echo sent
    fi
  done`
  await using loop = startProcess({ command: ['sh', '-c', script], env: gateway.env })
  const sent = () => loop.stdout().split('sent').length - 1
  for (let run = 1; run <= bench.runs; run++) {
    await record.attempt(row, async () => {
      // At any moment of its sleep.
      await sleep(Math.random() * seconds * 1000)
      const began = await appear(snapshots, run)
      const timeoutMs = seconds * 1000 + 60_000
      await until('it is sent', () => sent() >= run, { timeoutMs, everyMs: 10 })
      return { wall: (performance.now() - began) / 1000 }
    })
  }
}
