import { pino } from 'pino'
import { expect, test } from 'vitest'
import { manifestFor } from '@meili-ha/core/catalog/catalog-fixture.ts'
import { manifestKey } from '@meili-ha/core/catalog/names.ts'
import { Housekeeping } from './housekeeping.ts'
import { fakePublisher } from './publisher.fixture.ts'
import { uploaderMetrics } from './uploader-metrics.ts'
import type { Parts } from './wire.ts'

const RULES = { keepLast: 1, keepDaily: 0, sweepGrace: 0 }

async function withSnapshots(options: { epoch: number | undefined; clusterId?: string }) {
  const to = await fakePublisher()
  for (const seq of [1, 2, 3]) {
    const manifest = { ...manifestFor(0, seq), writer: 'm1' }
    await to.store.put(manifest.object?.key as string, manifest.object?.key as string)
    await to.store.put(manifestKey(manifest.id), JSON.stringify(manifest))
  }
  const terms = { current: async () => options.epoch }
  const log = pino({ level: 'silent' })
  const parts = { terms, log, catalog: to.catalog, metrics: uploaderMetrics() } as Parts
  const publisher = to.publisher({ terms, clusterId: async () => options.clusterId })
  const ids = async () => (await to.catalog.read()).entries.map(({ seq }) => seq)
  return {
    ...{ store: to.store, publisher, ids },
    tidy: (rules: object = {}) => new Housekeeping(parts, { ...RULES, ...rules }, publisher).tidy(),
    [Symbol.asyncDispose]: () => to[Symbol.asyncDispose](),
  }
}

test('removes what the rules let go, and in time the tarballs that nobody names', async () => {
  await using member = await withSnapshots({ epoch: 0 })
  await member.tidy()
  expect(await member.ids()).toEqual([3])
  expect(await member.store.list('snapshots/')).toHaveLength(2)
})

test('tarballs stay for the grace, by this process’s own clock', async () => {
  await using member = await withSnapshots({ epoch: 0 })
  await member.tidy({ sweepGrace: 3_600_000 })
  expect(await member.ids()).toEqual([3])
  expect(await member.store.list('snapshots/')).toHaveLength(4)
})

test('a dry run, a standby and a stranger remove nothing', async () => {
  for (const [options, rules] of [
    [{ epoch: 0 }, { dryRun: true }],
    [{ epoch: undefined }, {}],
    [{ epoch: 0, clusterId: 'other' }, {}],
  ] as const) {
    await using member = await withSnapshots(options)
    await member.tidy(rules)
    expect(await member.ids()).toEqual([3, 2, 1])
  }
})

test('who is refused as the second writer does not prune what the first wrote', async () => {
  await using member = await withSnapshots({ epoch: 0 })
  await member.publisher.look()
  const other = { ...manifestFor(0, 4), writer: 'm2' }
  await member.store.put(other.object?.key as string, other.object?.key as string)
  await member.store.put(manifestKey(other.id), JSON.stringify(other))
  await member.tidy()
  expect(await member.ids()).toEqual([4, 3, 2, 1])
})
