import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tempDir, type TempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { has, write } from '../cluster/documents.ts'
import { failsOver, goesOn, settled, startTrial, termOf, type Trial } from './fault-table.ts'
import type { Member } from '../cluster/member.ts'
import { newestRecord } from './newest-record.ts'

const SHIFTED_DATE = fileURLToPath(new URL('shifted-date.ts', import.meta.url))

describe('a host', () => {
  let scratch: TempDir
  let trial: Trial & AsyncDisposable
  beforeAll(async () => {
    scratch = await tempDir()
    trial = await startTrial('L = 5 s, hosts and clocks', {}, (name) => ({
      env: { NODE_OPTIONS: `--import ${SHIFTED_DATE}`, TEST_CLOCK: clockOf(name) },
    }))
  })
  afterAll(async () => {
    await trial[Symbol.asyncDispose]()
    await scratch[Symbol.asyncDispose]()
  })

  /** What this file says in hours is added to what the member's programs take for the time of day. */
  const clockOf = (name: string) => join(scratch.path, `clock-${name}`)
  const setClock = ({ name }: Member, hours: number) => writeFile(clockOf(name), String(hours))

  test('whose wall clock jumps by an hour, either way, keeps its primary', async () => {
    const [primary, standby] = await settled(trial)
    await goesOn(trial, 'wall clock +1 h, -1 h', primary, async () => {
      for (const hours of [1, -1]) {
        await setClock(primary, hours)
        await setClock(standby, -hours)
        await renews(primary, 3)
        expect(await renewedAgo(trial)).toBeCloseTo(-hours, 1)
      }
    })
  })

  test('whose wall clock is an hour behind takes over from one that is ahead, after L', async () => {
    const [primary, standby] = await settled(trial)
    await setClock(primary, 1)
    await setClock(standby, -1)
    await renews(primary, 2)
    await failsOver(trial, 'SIGKILL the keeper, clocks 2 h apart', primary, () =>
      primary.stop('keeper'),
    )
    await primary.restart('keeper')
    await setClock(primary, 0)
    await setClock(standby, 0)
    await settled(trial)
  })

  test('that reboots, as all others do, leads again in a later epoch with what it held', async () => {
    const [primary, standby] = await settled(trial)
    await write(primary, 100)
    const { epoch } = termOf(trial, primary)
    await failsOver(
      trial,
      'reboot of all hosts',
      primary,
      async () => {
        await Promise.all([primary.powerOff(), standby.powerOff()])
        await primary.powerOn()
        // Whoever is up first has waited for L first; that both hold the same isn't what is shown.
        await until('its lease is open', async () => (await primary.route('/status')) === 200)
        await standby.powerOn()
      },
      'any',
    )
    const [leader] = await settled(trial)
    expect(termOf(trial, leader).epoch).toBeGreaterThan(epoch)
    expect(leader.name).toBe(primary.name)
    expect(await has(leader, 100)).toBe(true)
  })

  test.skipIf(process.getuid?.() !== 0)(
    'that reboots with `/ha` kept on disk believes none of its permits',
    async () => {
      const [primary, standby] = await settled(trial)
      const bootId = join(scratch.path, 'boot_id')
      await writeFile(bootId, `${randomUUID()}\n`)
      const mount = `mount --bind '${bootId}' /proc/sys/kernel/random/boot_id && exec "$@"`
      await failsOver(trial, 'reboot with /ha on disk', primary, async () => {
        await primary.powerOff({ keepHa: true })
        primary.launcher = ['unshare', '--mount', 'sh', '-c', mount, 'sh']
        // The guard alone: nobody but the file could let Meilisearch run.
        await primary.restart('guard')
        await primary.parts.guard.waitFor(/the permit is of another boot/)
      })
      await primary.stop('guard')
      await primary.powerOn()
      await trial.cluster.standby(primary, 45_000)
      expect(standby.name).toBe((await trial.cluster.primary()).name)
    },
  )

  async function renews(member: Member, times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      const permit = await member.ha.readLine('permit')
      await until('it renews', async () => (await member.ha.readLine('permit')) !== permit)
    }
  }
})

/** Hours since the last renewal as the record dates it: shows that the clocks really jumped. */
async function renewedAgo({ cluster }: Trial): Promise<number> {
  const { renewedAt } = await newestRecord(cluster)
  return (Date.now() - Date.parse(renewedAt)) / 3_600_000
}
