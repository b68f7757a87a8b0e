import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { eventsOf, manifestsIn } from '../uploader/programs.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { leaseIn, leaseKeeper } from './keeper-cli.ts'
import type { Member } from './member.ts'
import { startWriter } from './writer.ts'

const LONG = { timeoutMs: 30_000 }

/** Two members, the second level with the first, which has been written to and published. */
async function startPair(keeper: string[], uploader: string[] = []): Promise<Cluster> {
  const flags = { keeper, uploader: ['--every', '1s', '--max-duty', '100%', ...uploader] }
  const cluster = await startCluster(2, { flags })
  await cluster.primary()
  const writer = startWriter(cluster.members)
  await until('it writes', () => writer.acknowledged.length > 10, LONG)
  await cluster.standby(cluster.members[1] as Member)
  await writer.stop()
  return cluster
}

/** Until the keeper says why it doesn't lead, though the lease is free. */
const waitsBecause = (member: Member, reason: RegExp) =>
  until(
    `${member.name} waits: ${reason}`,
    () =>
      eventsOf(member.parts.keeper).some(
        ({ event, reason: said }) => event === 'keeper.not_standing' && reason.test(String(said)),
      ),
    LONG,
  ).catch((cause: unknown) => {
    throw new Error(member.said(), { cause })
  })

describe('what holds failover back', () => {
  test('--failover manual waits for promote, and the hook hears from where to replay', async () => {
    await using cluster = await startPair(
      ['--failover', 'manual', '--on-promote', 'cat >> told.jsonl'],
      ['--annotate-command', 'echo offset 42'],
    )
    const [m1, m2] = cluster.members as [Member, Member]
    await until('the newest is held', async () => {
      const [newest] = await manifestsIn(cluster.store)
      const sync = JSON.parse(await readFile(join(m2.ha.path, 'sync.json'), 'utf8')) as {
        holds: { id: string } | null
      }
      return newest?.annotations === 'offset 42' && sync.holds?.id === newest.id
    })
    await m1.powerOff()
    await waitsBecause(m2, /failover is manual/)
    expect(await m2.route('/primary')).toBe(503)
    const status = await leaseKeeper(['status', ...leaseIn(cluster.storeUrl)])
    expect(status.stdout).toMatch(/m2 .*failover is manual/)

    const asked = await leaseKeeper(['promote', ...leaseIn(cluster.storeUrl), '--to', 'm2'])
    expect(asked).toMatchObject({ code: 0 })
    expect(asked.stdout).toContain('m2 leads in epoch 2')
    expect((await cluster.primary()).name).toBe('m2')
    const told = await until('the hook is told', () =>
      readFile(join(cluster.dir, 'm2', 'told.jsonl'), 'utf8'),
    )
    const promoted = eventsOf(m2.parts.keeper).find(({ event }) => event === 'keeper.promoted')
    expect(typeof promoted?.['lossMs']).toBe('number')
    expect(JSON.parse(told)).toMatchObject({
      epoch: 2,
      snapshot: promoted?.['snapshot'],
      annotations: 'offset 42',
      lastTaskUid: expect.any(Number) as number,
      lossMs: promoted?.['lossMs'],
      snapshotStartedAt: expect.stringMatching(/^\d{4}-/) as string,
      promotedAt: expect.stringMatching(/^\d{4}-/) as string,
    })
  })

  test('pause and --max-loss hold it back until resume and promote', async () => {
    // Whatever is lost is more than a millisecond.
    await using cluster = await startPair(['--max-loss', '0s'])
    const [m1, m2] = cluster.members as [Member, Member]
    const lease = leaseIn(cluster.storeUrl)
    expect(await leaseKeeper(['pause', ...lease])).toMatchObject({
      code: 0,
      stdout: 'failover is paused\n',
    })
    // A healthy primary isn't replaced by promote, and says so.
    const refused = await leaseKeeper(['promote', ...lease])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('to replace it, use switchover')
    // By the clock of the primary: what it said last must be later than what it published last.
    await m1.stop('uploader')
    await until('the lease is renewed after the last snapshot', async () => {
      const { stdout } = await leaseKeeper(['status', '--json', ...lease])
      const { lease: record } = JSON.parse(stdout) as { lease: { renewedAt: string } }
      const [newest] = await manifestsIn(cluster.store)
      return Date.parse(record.renewedAt) > Date.parse(newest?.tasks.snapshotStartedAt ?? '')
    })
    await m1.powerOff()
    await waitsBecause(m2, /failover is paused/)
    expect(await leaseKeeper(['resume', ...lease])).toMatchObject({ code: 0 })
    await waitsBecause(m2, /it would lose \d+ s/)
    expect(await leaseKeeper(['promote', ...lease])).toMatchObject({ code: 0 })
    expect((await cluster.primary()).name).toBe('m2')
  })
})
