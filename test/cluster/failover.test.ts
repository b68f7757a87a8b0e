import { describe, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { manifestsIn } from '../uploader/programs.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { has, write } from './documents.ts'
import type { Member } from './member.ts'

async function published(cluster: Cluster, atLeast: number): Promise<void> {
  await until(
    `${atLeast} manifests`,
    async () => (await manifestsIn(cluster.store)).length >= atLeast,
    { timeoutMs: 20_000 },
  )
}

describe('two members', () => {
  test('begin empty, follow, and fail over when the primary loses its power', async () => {
    await using cluster = await startCluster(2, {
      flags: { uploader: ['--every', '1s', '--max-duty', '100%'] },
    })
    const [m1, m2] = cluster.members as [Member, Member]
    expect((await cluster.primary()).name).toBe('m1')
    await write(m1, 1)
    await published(cluster, 2)
    await cluster.standby(m2)
    await until('the standby has it', () => has(m2, 1), { timeoutMs: 20_000 })

    const began = performance.now()
    await m1.powerOff()
    const primary = await cluster.primary()
    expect(primary.name).toBe('m2')
    expect(performance.now() - began).toBeLessThan(15_000)
    expect(await has(m2, 1)).toBe(true)
    await write(m2, 2)

    await m1.powerOn()
    await cluster.standby(m1)
    await until('the old primary follows', () => has(m1, 2), { timeoutMs: 20_000 })
  })
})
