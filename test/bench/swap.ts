import { mkdir, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../harness/free-port.ts'
import { meilisearchCommand, startMeilisearch, which } from '../harness/meilisearch.ts'
import { startProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import type { Bench } from './bench.ts'
import { startGateway, type Gateway } from './gateway.ts'
import { measure } from './measure.ts'
import { peersOn } from './peers.ts'
import type { Recorder } from './recorder.ts'
import type { Scenario } from './scenario.ts'
import { realSnapshot } from './serve.ts'

const OURS = 'fetcher follow, swap'
const GUARD = fileURLToPath(new URL('../../docker/guard.sh', import.meta.url))

export const swap: Scenario = {
  name: 'swap',
  sentence: 'how long a standby answers nobody when it takes a newer snapshot',
  columns: [{ name: 'away', unit: 's', digits: 2, spread: true, ratio: true }],
  goals: [{ column: 'away', how: OURS, most: 1 }],
  run: async (bench, record) => {
    for (const size of bench.dataSizes) await swapSize(bench, record, size)
  },
}

async function swapSize(bench: Bench, record: Recorder, sizeMiB: number): Promise<void> {
  const directory = await bench.directory(`swap-${sizeMiB}`)
  await using gateway = await startGateway(directory)
  const what = `${sizeMiB} MiB of documents, ${which()}`
  bench.say(`filling Meilisearch twice with ${sizeMiB} MiB`)
  const files: string[] = []
  for (const name of ['a', 'b']) {
    const its = join(directory, name)
    await mkdir(its)
    files.push(await realSnapshot(its, sizeMiB))
  }
  const publish = async (run: number) => {
    const file = files[run % files.length] as string
    // The same file again would be published already.
    const now = new Date()
    await utimes(file, now, now)
    const command = [process.execPath, bench.programs.uploader, 'publish', file] as const
    const store = ['--store', `s3://${gateway.bucket}/ours`, '--member', 'm1']
    await measure([...command, ...store], { ...process.env, ...gateway.env })
  }
  await publish(0)
  await using standby = await startStandby(bench, directory, gateway)
  for (let run = 1; run <= bench.runs; run++) {
    await record.attempt({ what, how: OURS, ours: true }, async () => {
      const watch = watchHealth(standby.url)
      const swapped = standby.swaps()
      await publish(run)
      const limits = { timeoutMs: 180_000, everyMs: 50 }
      await until('it has swapped', () => standby.swaps() > swapped, limits).catch(
        (cause: unknown) => {
          throw new Error(standby.output(), { cause })
        },
      )
      // What the swap cost may not be over when it is reported.
      await until('it answers', () => watch.answers(), limits)
      return { away: watch.stop() / 1000 }
    })
    await importAnew(record, what, directory, gateway, files[0] as string, run)
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
}

/** What a script does without us: stop, empty, download, import. */
async function importAnew(
  record: Recorder,
  what: string,
  directory: string,
  gateway: Gateway,
  file: string,
  run: number,
): Promise<void> {
  const [aws] = peersOn(gateway)
  const row = { what, how: 'stop, aws s3 cp, --import-snapshot' }
  if (!aws || aws.missing !== undefined) {
    record.skip(row, aws?.missing ?? 'no awscli')
    return
  }
  const env = { ...process.env, ...gateway.env }
  const root = join(directory, `anew-${run}`)
  const copy = join(root, 'copy.snapshot')
  await mkdir(root)
  if (run === 1) await measure(aws.up(file, 'peer'), env)
  await record.attempt(row, async () => {
    const began = performance.now()
    await measure(aws.down('peer', copy), env)
    const dbPath = join(root, 'data.ms')
    await using _ = await startMeilisearch({ dbPath, args: ['--import-snapshot', copy] })
    return { away: (performance.now() - began) / 1000 }
  })
  await rm(root, { recursive: true, force: true, maxRetries: 5 })
}

/** A read replica without a lease: guard, Meilisearch and fetcher. */
async function startStandby({ programs }: Bench, directory: string, gateway: Gateway) {
  const [data, ha] = [join(directory, 'data'), join(directory, 'ha')]
  await mkdir(data)
  await mkdir(ha)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const guard = startProcess({
    command: [
      ...['/bin/sh', GUARD, ...meilisearchCommand(), '--db-path', join(data, 'data.ms')],
      ...['--http-addr', `127.0.0.1:${port}`, '--no-analytics'],
    ],
    env: { MEILI_HA_DIR: ha, MEILI_HA_LEASE: 'none' },
    cwd: data,
  })
  const fetcher = startProcess({
    command: [
      ...[process.execPath, programs.fetcher, 'follow', '--store', `s3://${gateway.bucket}/ours`],
      ...['--data-dir', data, '--ha-dir', ha, '--meili-url', url, '--member', 'm2', '--poll', '1s'],
      ...[
        '--lease',
        'none',
        '--listen',
        'off',
        '--log-format',
        'json',
        '--engine-version',
        '1.50.0',
      ],
    ],
    env: gateway.env,
  })
  const healthy = async () => (await fetch(`${url}/health`)).ok
  const output = () => guard.output() + fetcher.output()
  await until('the standby serves', healthy, { timeoutMs: 120_000 }).catch((cause: unknown) => {
    throw new Error(output(), { cause })
  })
  return {
    url,
    output,
    swaps: () => fetcher.output().split('"follow.swapped"').length,
    [Symbol.asyncDispose]: async () => {
      await fetcher.kill()
      await guard.kill('SIGTERM')
      await guard[Symbol.asyncDispose]()
    },
  }
}

/** Asks without pause; the longest time between two good answers is what a reader would miss. */
function watchHealth(url: string) {
  const stopped = new AbortController()
  let longest = 0
  let last = performance.now()
  let good = true
  const life = (async () => {
    while (!stopped.signal.aborted) {
      good = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) }).then(
        (answer) => answer.ok,
        () => false,
      )
      if (good) {
        longest = Math.max(longest, performance.now() - last)
        last = performance.now()
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  life.catch(() => {})
  return {
    answers: () => good,
    stop: () => {
      stopped.abort()
      return longest
    },
  }
}
