import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { bigSnapshot } from '../generate/big-snapshot.ts'
import { startProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { MIB, type Bench } from './bench.ts'
import { addGrowth, growthColumn } from './growth.ts'
import { processCost } from './measure.ts'
import type { Column, Scenario } from './scenario.ts'

const GUARD = fileURLToPath(new URL('../../docker/guard.sh', import.meta.url))
const COUNTS = [1, 10]

const HOW = 'uploader run'
const REQUESTS: Column = { name: 'requests', unit: 'of the uploader', digits: 0 }
const CPU: Column = { name: 'CPU', unit: 's of the uploader', digits: 2, spread: true }
const REQUESTS_GROWTH = growthColumn(REQUESTS, 'of those with 1')
const CPU_GROWTH = growthColumn(CPU, 'of that with 1')

export const standbys: Scenario = {
  name: 'standbys',
  sentence: "what 1 and 10 standbys cost the primary's uploader while it publishes 10 MiB",
  columns: [
    ...[REQUESTS, CPU],
    { name: 'theirs', unit: 'requests of all standbys', digits: 0 },
    ...[REQUESTS_GROWTH, CPU_GROWTH],
  ],
  goals: [
    { column: REQUESTS_GROWTH.name, how: HOW, most: 1 },
    { column: CPU_GROWTH.name, how: HOW, most: 1.2 },
  ],
  run: async (bench, record) => {
    const counts = bench.quick ? [1, 2] : COUNTS
    for (let run = 1; run <= bench.runs; run++) {
      for (const count of counts) {
        await record.attempt({ what: `${count} standbys`, how: HOW, ours: true }, () =>
          withStandbys(bench, count, run),
        )
      }
    }
    addGrowth(record.rows, REQUESTS, REQUESTS_GROWTH)
    addGrowth(record.rows, CPU, CPU_GROWTH)
  },
}

/** Two ways to one bucket, so that it shows who asked. */
async function withStandbys(bench: Bench, count: number, run: number) {
  await using stack = new AsyncDisposableStack()
  const directory = await bench.directory(`standbys-${count}-${run}`)
  const primary = stack.use(await startS3Server())
  const others = stack.use(await startS3Server({ bucket: primary.bucket }))
  const store = [
    '--store',
    `s3://${primary.bucketName}/x`,
    '--listen',
    'off',
    '--log-format',
    'json',
  ]
  const { uploader, fetcher } = bench.programs
  const start = (command: string[], server: typeof primary, more = {}) =>
    stack.use(
      startProcess({
        command: [process.execPath, ...command, ...store],
        env: { ...environmentOf(server), ...more },
      }),
    )
  const snapshots = join(directory, 'snapshots')
  await mkdir(snapshots)
  const appear = async (number: number) => {
    const path = join(snapshots, 'data.ms.snapshot')
    await bigSnapshot(`${path}.part`, 10 * MIB + number)
    await rename(`${path}.part`, path)
  }
  const running = start([uploader, 'run', '--data-dir', directory], primary, {
    MEILI_SNAPSHOT_DIR: snapshots,
  })
  await running.waitFor(/watch\.started/, 60_000)
  // A standby that finds nothing waits for a first one.
  await appear(1)
  await running.waitFor(/snapshot\.published/, 60_000)
  const following = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const [ha, data] = [join(directory, `ha-${i}`), join(directory, `data-${i}`)]
      await mkdir(ha)
      // Not a word of its is asked for here: that something runs is enough.
      const engine = ['/bin/sh', GUARD, 'sleep', '1000000']
      stack.use(
        startProcess({ command: engine, env: { MEILI_HA_DIR: ha, MEILI_HA_LEASE: 'none' } }),
      )
      const flags = [
        '--lease',
        'none',
        '--ha-dir',
        ha,
        '--data-dir',
        data,
        '--poll',
        '1s',
        '--engine-version',
        '1.50.0',
      ]
      return start([fetcher, 'follow', ...flags], others)
    }),
  )
  const restored = (times: number) =>
    following.every((one) => one.output().split('restore.complete').length > times)
  const waitFor = (times: number) =>
    until('all have it', () => restored(times), { timeoutMs: 120_000, everyMs: 50 }).catch(
      (cause: unknown) => {
        throw new Error(running.output() + following[0]?.output(), { cause })
      },
    )
  await waitFor(1)
  const cpu = () => processCost(running.pid)?.cpuMs ?? NaN
  const before = cpu()
  primary.requests.length = 0
  others.requests.length = 0
  await appear(2)
  await waitFor(2)
  await sleep(bench.quick ? 0 : 10_000)
  return {
    requests: primary.requests.length,
    CPU: (cpu() - before) / 1000,
    theirs: others.requests.length,
  }
}
