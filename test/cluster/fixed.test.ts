import { expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { manifestsIn } from '../uploader/programs.ts'
import { startCluster } from './cluster.ts'
import { lineageOf, type Member } from './member.ts'

const has = async (member: Member, id: number) =>
  (await member.call('GET', `/indexes/books/documents/${id}`)).status === 200

const write = (member: Member, id: number) =>
  member.call('POST', '/indexes/books/documents?primaryKey=id', [{ id }])

test('with fixed roles the named member leads, the other follows, and nobody keeps a lease', async () => {
  await using cluster = await startCluster(2, {
    flags: {
      keeper: ['--lease', 'none', '--primary', 'm1'],
      uploader: ['--every', '1s', '--max-duty', '100%'],
    },
  })
  const [m1, m2] = cluster.members as [Member, Member]
  expect((await cluster.primary()).name).toBe('m1')
  await write(m1, 1)
  await cluster.standby(m2)
  await until('the standby has it', () => has(m2, 1), { timeoutMs: 20_000 })
  const [newest] = await manifestsIn(cluster.store)
  expect(newest).toMatchObject({ epoch: 1, writer: 'm1' })

  // A restart is no failover: same epoch, same directory, nobody takes over.
  await m1.powerOff()
  await m1.powerOn()
  expect((await cluster.primary()).name).toBe('m1')
  expect(await has(m1, 1)).toBe(true)
  expect(await lineageOf(m1)).toMatchObject({ primaryIn: [1] })
  await write(m1, 2)
  await until('the standby has it', () => has(m2, 2), { timeoutMs: 20_000 })
  const epochs = (await manifestsIn(cluster.store)).map(({ epoch }) => epoch)
  expect(new Set(epochs)).toEqual(new Set([1]))
  expect(await cluster.store.list('lease')).toEqual([])
})
