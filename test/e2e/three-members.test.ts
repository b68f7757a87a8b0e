import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { has, reaches, write } from '../cluster/documents.ts'
import { failsOver, openTrial, settled, type Trial } from '../faults/fault-table.ts'
import { eventsOf, manifestsIn } from '../uploader/programs.ts'
import { metric, statusPrinted } from './ask.ts'
import { holds, setAside, shownByDiscard } from './disk.ts'
import { LONG, PATIENT } from './patience.ts'

/** One after the other, as a cluster grows: each test begins with what the one before left. */
describe('a cluster that grows', PATIENT, () => {
  let trial: Trial & AsyncDisposable
  beforeAll(async () => {
    trial = await openTrial('L = 5 s, three members')
  })
  afterAll(() => trial[Symbol.asyncDispose]())

  const named = (name: string) => trial.cluster.members.find((member) => member.name === name)!
  const status = () => statusPrinted(trial.cluster)

  test('first boot: empty members wait for the bootstrap member, which alone begins', async () => {
    const m2 = await trial.cluster.add('m2')
    await m2.parts.keeper.waitFor(
      /not_standing.*the cluster waits for its bootstrap member/,
      30_000,
    )
    expect(await m2.ha.readLine('guard')).toMatch(/^stopped /)
    expect(await manifestsIn(trial.cluster.store)).toEqual([])
    await until(
      'status says what it waits for',
      async () =>
        /never served yet: it waits for its bootstrap member[^]*^m2 /m.test(await status()),
      LONG,
    )

    const m1 = await trial.cluster.add('m1')
    expect((await trial.cluster.primary()).name).toBe('m1')
    // With the first snapshot, that is: an empty beginning is nothing to restore.
    await write(m1, 1)
    await settled(trial)
    const [claim] = (await manifestsIn(trial.cluster.store)).filter(({ seq }) => seq === 0)
    expect(claim).toMatchObject({ epoch: 1, writer: 'm1', claim: { of: null } })
    await until('m2 has it', () => has(m2, 1), LONG)
    expect(await metric(m1, 'keeper', 'meili_ha_lease_keeper_primary')).toBe(1)
    expect(await metric(m2, 'keeper', 'meili_ha_lease_keeper_primary')).toBe(0)
    expect(trial.watch.violations).toEqual([])
  })

  test('a member added to a running cluster gets all data, and nobody notices else', async () => {
    const before = trial.watch.terms.length
    // It comes level now, and then swaps no more: what is published later makes it the staler one.
    const m3 = await trial.cluster.add('m3', { flags: { fetcher: ['--swap-every', '10m'] } })
    await trial.cluster.standby(m3)
    expect(await has(m3, 1)).toBe(true)
    await until('status lists it', async () => /^m3 +standby/m.test(await status()))
    expect(trial.watch.terms).toHaveLength(before)
    expect(trial.watch.violations).toEqual([])
  })

  test('kill of a member: the freshest of the others is promoted, and what was lost is told', async () => {
    const [primary] = await settled(trial)
    const fresh = trial.cluster.members.find(({ name }) => name !== primary.name && name !== 'm3')!
    await reaches(primary, fresh, 100)
    expect(await has(named('m3'), 100)).toBe(false)
    // Acknowledged, and in no snapshot: what an unplanned failover loses.
    await primary.stop('uploader')
    await write(primary, 101)

    const next = await failsOver(trial, 'power loss, one standby behind', primary, () =>
      primary.powerOff(),
    )
    expect(next.member).toBe(fresh.name)
    expect(await has(fresh, 100)).toBe(true)
    expect(await has(fresh, 101)).toBe(false)
    const promoted = eventsOf(fresh.parts.keeper).find(({ event }) => event === 'keeper.promoted')
    const lossMs = Number(promoted?.['lossMs'])
    expect(lossMs).toBeGreaterThan(0)
    const lost = await metric(fresh, 'keeper', 'meili_ha_lease_keeper_promotion_loss_seconds')
    expect(lost).toBeCloseTo(lossMs / 1000)
    await until('status tells the loss', async () =>
      (await status()).includes(`last promotion: ${fresh.name} in epoch ${next.epoch}`),
    )
  })

  test('rejoin with divergence: the former primary follows, and what it took is set aside', async () => {
    const [leader] = trial.cluster.members.filter(({ name }) => name === leaderName())
    const former = trial.cluster.members.find(({ name }) => name !== leader!.name && name !== 'm3')!
    await write(leader!, 102)
    await former.powerOn()
    await trial.cluster.standby(former, 45_000)
    await until('it follows', () => has(former, 102), LONG)
    expect(await has(former, 101)).toBe(false)
    const [kept, ...more] = await setAside(former)
    expect(more).toEqual([])
    expect(kept).toContain('data.ms.diverged-1-')
    expect(await holds(kept!, 101)).toBe(true)
    expect(await shownByDiscard(former)).toMatch(/data\.ms\.diverged-1-/)
    expect(eventsOf(former.parts.fetcher)).toContainEqual(
      expect.objectContaining({ event: 'follow.set_aside', level: 'warn', path: kept }),
    )
    expect(trial.watch.violations).toEqual([])
  })

  test('two that race for the lease take one epoch together, and the freshest wins again', async () => {
    const [primary] = await settled(trial)
    const fresh = trial.cluster.members.find(({ name }) => name !== primary.name && name !== 'm3')!
    await reaches(primary, fresh, 200)
    const epochs = new Set(trial.watch.terms.map(({ epoch }) => epoch)).size
    const next = await failsOver(trial, 'power loss, the other way round', primary, () =>
      primary.powerOff(),
    )
    expect(next.member).toBe(fresh.name)
    expect(new Set(trial.watch.terms.map(({ epoch }) => epoch)).size).toBe(epochs + 1)
    expect(await has(fresh, 200)).toBe(true)
  })

  const leaderName = () => trial.watch.terms.findLast((term) => term.until === undefined)?.member
})
