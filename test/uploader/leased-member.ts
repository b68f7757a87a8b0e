import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { publishedSchema, type Published, type Sync } from '@meili-ha/core/ha/sync.ts'
import type { RunningProcess } from '../harness/process.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { CLUSTER } from '../fetcher/publish.ts'
import { FIXTURES, uploader } from './programs.ts'

/** A member whose keeper, guard and fetcher the test plays: only the uploader is real. */
export interface LeasedMember extends AsyncDisposable {
  /** `--data-dir`. */
  data: string
  ha: HaDir
  start(): RunningProcess
  /** What the keeper writes. A primary permit is renewed until the next call. */
  permit(role: 'primary' | 'standby' | 'stop', epoch: number): Promise<void>
  /** The promotion up to the claim: the fetcher's decision, the keeper's want, the answer. */
  promote(epoch: number, of: string | null): Promise<void>
  guard(state: 'running' | 'stopped'): void
  noted(): Promise<Published>
}

export async function leasedMember(
  storeUrl: (dir: string) => string,
  env: Record<string, string> = {},
): Promise<LeasedMember> {
  const root = await tempDir()
  const data = join(root.path, 'm')
  const ha = new HaDir(join(root.path, 'ha'))
  await mkdir(ha.path)
  await databaseIn(join(data, 'data.ms'))
  let state: 'running' | 'stopped' = 'running'
  let renew = async () => {}
  const bootId = systemBootClock.bootId()
  const beat = async () => {
    const word = state === 'running' ? 'running 7' : 'stopped -'
    await ha.writeLine('guard', `${word} ${systemBootClock.now()} | - | -`)
    await renew()
  }
  const beating = setInterval(() => void beat().catch(() => {}), 100)
  const noted = async () => {
    const found = await ha.readJson('published.json', publishedSchema)
    if (!found) throw new Error('there is no published.json')
    return found
  }
  return {
    ...{ data, ha, noted },
    start: () =>
      uploader(
        [
          ...['run', '--store', storeUrl(root.path), '--data-dir', data, '--member', 'm1'],
          ...['--ha-dir', ha.path, '--listen', 'off'],
        ],
        { ...env, MEILI_HA_MEILI_URL: 'http://127.0.0.1:9' },
      ),
    permit: async (role, epoch) => {
      renew = async () => {
        const now = systemBootClock.now()
        const times = role === 'primary' ? `${now + 900} ${now + 1200}` : '- -'
        await ha.writeLine('permit', `${role} ${epoch} ${times} ${bootId}`)
      }
      await renew()
    },
    promote: async (epoch, of) => {
      const want = `promote ${epoch}`
      const sync: Sync = {
        ...{ writtenAt: systemBootClock.now(), bootId, decided: true, clusterId: CLUSTER },
        ...{ holds: null, primaryIn: [], claim: { epoch, of }, newestEpoch: 0, newest: of },
        ...{ listedAt: 0, uninitialised: false, lagSeconds: 0, ready: true, reason: null },
        ...{ asksSwap: null, acknowledged: want, failed: null, progress: 0 },
      }
      await ha.writeJson('sync.json', sync)
      await ha.writeLine('want', want)
      await until(`epoch ${epoch} is claimed`, async () => (await noted()).claimed === epoch)
      await ha.writeLine('want', `lead ${epoch}`)
    },
    guard: (now) => (state = now),
    [Symbol.asyncDispose]: async () => {
      clearInterval(beating)
      await root[Symbol.asyncDispose]()
    },
  }
}

async function databaseIn(dataMs: string): Promise<void> {
  await mkdir(dataMs, { recursive: true })
  execFileSync('tar', ['-xzf', join(FIXTURES, 'catalogue.snapshot'), '-C', dataMs])
  const lineage = {
    ...{ format: 1, clusterId: CLUSTER, snapshotId: null, tarball: null },
    ...{ primaryIn: [], claim: null, lastTaskUid: null },
  }
  await writeFile(join(dataMs, 'meili-ha.json'), JSON.stringify(lineage))
}
