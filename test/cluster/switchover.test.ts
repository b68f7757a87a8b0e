import { describe, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { eventsOf, manifestsIn } from '../uploader/programs.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { leaseIn, leaseKeeper } from './keeper-cli.ts'
import { MASTER_KEY, type Member } from './member.ts'
import { idsIn, startWriter } from './writer.ts'

const PUBLISHING = { uploader: ['--every', '1s', '--max-duty', '100%'] }

async function published(cluster: Cluster, atLeast: number): Promise<void> {
  const enough = async () => (await manifestsIn(cluster.store)).length >= atLeast
  await until(`${atLeast} manifests`, enough, { timeoutMs: 20_000 })
}

/** Every acknowledged write can be read, and how many there are. */
async function expectAll(member: Member, acknowledged: readonly number[]): Promise<void> {
  const there = await until('its queue is empty', () => idsIn(member), { timeoutMs: 30_000 })
  expect(acknowledged.filter((id) => !there.has(id))).toEqual([])
}

// Its own waits end sooner, and say for what: 60 s were not enough for all on a busy machine.
describe('lease-keeper switchover', { timeout: 150_000 }, () => {
  test('loses no acknowledged write of one who never stops writing, there and back', async () => {
    await using cluster = await startCluster(2, { flags: PUBLISHING })
    const [m1, m2] = cluster.members as [Member, Member]
    expect((await cluster.primary()).name).toBe('m1')
    const writer = startWriter(cluster.members)
    await published(cluster, 2)
    await cluster.standby(m2)
    await until('a hundred writes', () => writer.acknowledged.length >= 100)

    const there = await leaseKeeper(['switchover', ...leaseIn(cluster.storeUrl), '--to', 'm2'])
    expect(there).toMatchObject({ code: 0 })
    expect(there.stdout).toMatch(/^write gap: about .*\nm2 leads in epoch 2, after /)
    const before = writer.acknowledged.length
    await until('the writer goes on', () => writer.acknowledged.length > before + 20)
    const [final] = (await manifestsIn(cluster.store)).filter((manifest) => manifest.final)
    expect(final).toMatchObject({ epoch: 1, writer: 'm1' })
    const released = eventsOf(m1.parts.keeper).find(
      ({ event }) => event === 'keeper.lease_released',
    )
    const promoted = eventsOf(m2.parts.keeper).find(({ event }) => event === 'keeper.promoted')
    expect(promoted).toMatchObject({ epoch: 2, snapshot: final?.id, lossMs: 0 })
    const waited = Date.parse(String(promoted?.['time'])) - Date.parse(String(released?.['time']))
    console.info(`release to promotion ${waited} ms, longest write gap ${writer.longestGapMs()} ms`)
    // Whoever may not believe the marker waits for the whole lease duration first: 5 s.
    expect(waited).toBeLessThan(4500)

    await cluster.standby(m1)
    const back = await leaseKeeper(['switchover', ...leaseIn(cluster.storeUrl)])
    expect(back).toMatchObject({ code: 0 })
    expect(back.stdout).toContain('m1 leads in epoch 3')
    const then = writer.acknowledged.length
    await until('the writer goes on', () => writer.acknowledged.length > then + 20)
    await writer.stop()
    await expectAll(m1, writer.acknowledged)
    for (const part of [...Object.values(m1.parts), ...Object.values(m2.parts)]) {
      expect(part.output()).not.toContain(MASTER_KEY)
    }
  })
})
