import { describe, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { environmentOf, storeOn } from '../s3-server/s3-server-store.ts'
import { startS3Server, type S3Server } from '../s3-server/s3-server.ts'
import { eventsOf, manifestsIn } from '../uploader/programs.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { leaseIn, leaseKeeper } from './keeper-cli.ts'
import type { Member } from './member.ts'
import { idsIn, startWriter } from './writer.ts'

/** Two members on an S3 server, the second level with what the first has published. */
async function startPair(server: S3Server): Promise<Cluster> {
  const env = environmentOf(server)
  const cluster = await startCluster(2, {
    storeUrl: `s3://${server.bucketName}/some/prefix`,
    env,
    flags: { uploader: ['--every', '2s', '--max-duty', '100%'] },
  })
  return cluster
}

/** The store takes no tarball any more; lease and manifests go on. */
function refuseTarballs(server: S3Server): void {
  const refusal = { kind: 'status', status: 403, code: 'AccessDenied' } as const
  server.faults.add(refusal, { key: /\.snapshot$/, times: Number.POSITIVE_INFINITY })
}

const eventOf = (member: Member, name: string) =>
  eventsOf(member.parts.keeper).find(({ event }) => event === name)

describe('a hand-over', () => {
  test('that cannot publish is given up, and the primary goes on under a new epoch', async () => {
    await using server = await startS3Server()
    await using cluster = await startPair(server)
    const [m1, m2] = cluster.members as [Member, Member]
    await cluster.primary()
    const writer = startWriter(cluster.members)
    await cluster.standby(m2)
    refuseTarballs(server)
    const args = [...leaseIn(cluster.storeUrl), '--timeout', '30s']
    const asked = await leaseKeeper(['switchover', ...args], environmentOf(server))
    expect(eventOf(m1, 'keeper.drain_failed')).toMatchObject({ epoch: 1, leadsAgain: true })
    // The command tells the truth: it is m1 that leads, in the next epoch.
    expect(asked.stdout + asked.stderr).toContain('m1 leads')
    expect(asked.code).toBe(1)
    const before = writer.acknowledged.length
    await until('the writer goes on', () => writer.acknowledged.length > before + 10)
    expect((await cluster.primary()).name).toBe('m1')
    server.faults.clear()
    const store = storeOn(server)
    await until('it publishes in its new epoch', async () =>
      (await manifestsIn(store)).some(({ epoch, seq }) => epoch === 2 && seq > 0),
    )
    await writer.stop()
    const there = await until('its queue is empty', () => idsIn(m1))
    expect(writer.acknowledged.filter((id) => !there.has(id))).toEqual([])
  })

  test('comes first when every container of the primary gets SIGTERM at once', async () => {
    await using server = await startS3Server()
    await using cluster = await startPair(server)
    const [m1, m2] = cluster.members as [Member, Member]
    await cluster.primary()
    const writer = startWriter(cluster.members)
    await cluster.standby(m2)
    const exits = await Promise.all(Object.values(m1.parts).map((part) => part.kill('SIGTERM')))
    expect(exits).toEqual(exits.map(() => ({ code: 0, signal: null })))
    expect(eventOf(m1, 'keeper.lease_released')).toMatchObject({ epoch: 1 })
    const before = writer.acknowledged.length
    await until('the writer goes on', () => writer.acknowledged.length > before + 10)
    console.info(`longest write gap of a docker stop: ${writer.longestGapMs()} ms`)

    // The second time the store takes nothing: the lease is left to expire, and said.
    await m1.powerOn()
    await cluster.standby(m1)
    refuseTarballs(server)
    await Promise.all(Object.values(m2.parts).map((part) => part.kill('SIGTERM')))
    expect(eventOf(m2, 'keeper.drain_failed')).toMatchObject({ epoch: 2, leadsAgain: false })
    expect(eventOf(m2, 'keeper.lease_released')).toBeUndefined()
    expect(m2.parts.keeper.output()).toContain('left to expire')
    server.faults.clear()
    expect((await cluster.primary()).name).toBe('m1')
    await writer.stop()
  })
})
