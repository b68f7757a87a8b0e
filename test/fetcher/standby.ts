import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { syncSchema, type Sync } from '@meili-ha/core/ha/sync.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { freePort } from '../harness/free-port.ts'
import { meilisearchCommand } from '../harness/meilisearch.ts'
import { startProcess, startProgram, type RunningProcess } from '../harness/process.ts'
import { tempDir } from '../harness/temp-dir.ts'

const GUARD = fileURLToPath(new URL('../../docker/guard.sh', import.meta.url))
export const FETCHER = fileURLToPath(new URL('../../packages/fetcher/src/cli.ts', import.meta.url))

/** One member of real processes: guard, Meilisearch (or stand-in) and `fetcher follow`. */
export interface Standby extends AsyncDisposable {
  dir: string
  data: string
  store: Store
  ha: HaDir
  /** Where its Meilisearch answers. */
  url: string
  /** Where its fetcher answers. */
  fetcherUrl: string
  guard: RunningProcess
  fetcher: RunningProcess
  sync(): Promise<Sync>
  /** Starts the fetcher again, after it was killed. */
  restartFetcher(): void
}

/** @param keeper a test plays the lease-keeper: it writes `permit` and `want` */
export async function startStandby(
  options: { keeper?: boolean; prepare?: (store: Store) => Promise<unknown>; args?: string[] } = {},
): Promise<Standby> {
  const root = await tempDir()
  const at = (name: string) => join(root.path, name)
  const data = at('data')
  const ha = new HaDir(at('ha'))
  await mkdir(ha.path)
  await mkdir(data)
  const storeUrl = `file://${at('store')}`
  const store = openStore(storeUrl)
  await options.prepare?.(store)
  const [port, fetcherPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  const env = { MEILI_HA_DIR: ha.path, ...(options.keeper ? {} : { MEILI_HA_LEASE: 'none' }) }
  const guard = startProcess({
    command: [
      ...['/bin/sh', GUARD, ...meilisearchCommand()],
      ...['--db-path', join(data, 'data.ms'), '--http-addr', `127.0.0.1:${port}`],
      '--no-analytics',
    ],
    env,
    cwd: data,
  })
  const startFetcher = () =>
    startProgram(FETCHER, [
      ...['follow', '--store', storeUrl, '--data-dir', data, '--ha-dir', ha.path],
      ...['--meili-url', url, '--member', 'm2', '--poll', '300ms', '--engine-version', '1.50.0'],
      ...['--listen', `127.0.0.1:${fetcherPort}`, ...(options.keeper ? [] : ['--lease', 'none'])],
      ...(options.args ?? []),
    ])
  const standby: Standby = {
    dir: root.path,
    data,
    store,
    ha,
    url,
    fetcherUrl: `http://127.0.0.1:${fetcherPort}`,
    guard,
    fetcher: startFetcher(),
    sync: async () => {
      const sync = await ha.readJson('sync.json', syncSchema)
      if (!sync) throw new Error('there is no sync.json')
      return sync
    },
    restartFetcher: () => {
      standby.fetcher = startFetcher()
    },
    [Symbol.asyncDispose]: async () => {
      await standby.fetcher.kill()
      // The guard takes its Meilisearch with it when it is told to end, not when it is killed.
      guard.thaw()
      await guard.kill('SIGTERM')
      await root[Symbol.asyncDispose]()
    },
  }
  return standby
}

/** What a GET answers: status and text. */
export async function get(url: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(3000) })
  return { status: answer.status, text: await answer.text() }
}
