import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { has, reaches, write } from '../cluster/documents.ts'
import { leaseIn, leaseKeeper } from '../cluster/keeper-cli.ts'
import { lineageOf } from '../cluster/member.ts'
import { settled, startTrial, type Trial } from '../faults/fault-table.ts'
import { eventsOf, manifestsIn } from '../uploader/programs.ts'
import { metric, statusOf, statusPrinted } from './ask.ts'
import { setAside } from './disk.ts'
import { LONG, PATIENT } from './patience.ts'

describe('a bucket that is emptied under a running cluster wipes nothing', PATIENT, () => {
  let trial: Trial & AsyncDisposable
  beforeAll(async () => {
    const flags = { uploader: ['--every', '1s', '--max-duty', '100%'] }
    trial = await startTrial('L = 5 s, bucket emptied', { flags })
  })
  afterAll(() => trial[Symbol.asyncDispose]())

  /** Snapshots, claims, cluster.json, lease and statements: all that a `rm --recursive` takes. */
  const empty = () => rm(join(trial.cluster.dir, 'store'), { recursive: true, maxRetries: 10 })
  const ids = async () => (await manifestsIn(trial.cluster.store)).map(({ id }) => id)
  const status = () => statusPrinted(trial.cluster)

  test('both serve on, and the uploader says what is missing and who can help', async () => {
    const [primary, standby] = await settled(trial)
    await reaches(primary, standby, 10)
    const { clusterId } = await lineageOf(primary)
    await empty()
    const leader = await trial.cluster.primary()
    expect(leader.name).toBe(primary.name)
    await write(leader, 11)
    const refusal = await until(
      'its uploader refuses aloud',
      () => eventsOf(leader.parts.uploader).find(({ code }) => code === 'MEILI_HA_CLAIM_MISSING'),
      LONG,
    )
    expect(refusal['hint']).toContain('lease-keeper switchover')
    expect(await metric(leader, 'uploader', 'meili_ha_uploader_refusing')).toBe(1)
    expect(JSON.stringify(await statusOf(leader, 'uploader'))).toContain('CLAIM_MISSING')
    await until('status tells why nobody could take over', async () =>
      /^.*standby.*the store holds nothing good/m.test(await status()),
    )
    expect(await has(leader, 10)).toBe(true)
    expect(await has(leader, 11)).toBe(true)
    expect(await has(standby, 10)).toBe(true)
    expect(await lineageOf(leader)).toMatchObject({ clusterId })
    expect(await ids()).toEqual([])
  })

  test('a switch-over, as the hint says, publishes again all that the primary holds', async () => {
    const leader = await trial.cluster.primary()
    const asked = await leaseKeeper(['switchover', ...leaseIn(trial.cluster.storeUrl)])
    // Nothing was handed over: the same member leads again in a new epoch, and the command says so.
    expect(asked.code).toBe(1)
    expect(asked.stderr).toMatch(
      new RegExp(`MEILI_HA_REQUEST_FAILED: .*${leader.name} leads in epoch`),
    )
    const next = await trial.cluster.primary()
    expect(next.name).toBe(leader.name)
    for (const id of [10, 11]) expect(await has(next, id)).toBe(true)
    const [, standby] = await settled(trial)
    await reaches(next, standby, 12)
    expect(await has(standby, 11)).toBe(true)
    expect(await metric(next, 'uploader', 'meili_ha_uploader_refusing')).toBe(0)
    expect(trial.watch.violations).toEqual([])
  })

  test('a reboot of all on an empty bucket: who led last begins anew with all that it holds', async () => {
    const [primary, standby] = await settled(trial)
    await reaches(primary, standby, 20)
    await Promise.all([primary.powerOff(), standby.powerOff()])
    await empty()
    await Promise.all([primary.powerOn(), standby.powerOn()])
    const leader = await trial.cluster.primary()
    expect(leader.name).toBe(primary.name)
    for (const id of [10, 11, 12, 20]) expect(await has(leader, id)).toBe(true)
    await until('it is published again', async () => (await ids()).length > 0, LONG)
    await settled(trial)
    await reaches(leader, standby, 21)
    expect(await has(standby, 20)).toBe(true)
    for (const member of [primary, standby]) expect(await setAside(member)).toEqual([])
    expect(trial.watch.violations).toEqual([])
  })
})
