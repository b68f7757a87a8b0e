import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { claimFor, CLUSTER, lay, manifestFor, storeOf } from './catalog-fixture.ts'
import { isComplete } from './catalog-view.ts'
import { chainOf } from './chain.ts'
import { ensureCluster } from './cluster.ts'
import type { Manifest } from './manifest.ts'
import { assertMayPublish, firstSeenOf } from './may-publish.ts'
import type { MemoryStore } from './memory-store.ts'
import { manifestKey } from './names.ts'
import { CatalogReader, newestOf } from './read-catalog.ts'
import { restoreCandidates } from './restore-candidates.ts'

const CREATED = { clusterId: CLUSTER, createdAt: '2026-11-01T00:00:00Z' }

type Fate = 'good' | 'final' | 'torn' | 'newer' | 'gone' | 'absent'
const fates = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>('good') },
  fc.constantFrom<Fate>('final', 'torn', 'newer', 'gone', 'absent'),
)
/** Of each epoch its claim's fate, and those of what came after; claims skip what a zombie wrote. */
const histories = fc.array(
  fc.record({
    claim: fates,
    snapshots: fc.array(fates, { maxLength: 6 }),
    zombies: fc.nat({ max: 2 }),
  }),
  { minLength: 1, maxLength: 5 },
)

type Epochs = readonly { claim: Fate; snapshots: readonly Fate[]; zombies: number }[]

async function storeWith(history: Epochs): Promise<MemoryStore> {
  const store = await storeOf()
  await ensureCluster(store, CREATED)
  let last: Manifest | null = null
  for (const [epoch, { claim, snapshots, zombies }] of history.entries()) {
    let claimable: Manifest | null = last
    if (epoch > 0) {
      const own = claimFor(epoch, last)
      await put(store, own, claim)
      claimable = own
    }
    for (const [index, fate] of snapshots.entries()) {
      const more = fate === 'final' ? ({ final: true } as const) : {}
      const manifest: Manifest = manifestFor(epoch, index + 1, more)
      await put(store, manifest, fate)
      if (index < snapshots.length - zombies) claimable = manifest
    }
    last = claimable
  }
  return store
}

async function put(store: MemoryStore, manifest: Manifest, fate: Fate): Promise<void> {
  if (fate === 'absent') return
  await lay(store, manifest)
  if (fate === 'torn') await store.put(manifestKey(manifest.id), '{"form')
  if (fate === 'newer') await store.put(manifestKey(manifest.id), '{"format":2}')
  if (fate === 'gone' && manifest.object) await store.delete(manifest.object.key)
}

describe('of only the newest manifests', () => {
  test('what may be restored, and the chain, begin as those of all do', async () => {
    const property = fc.asyncProperty(histories, fc.nat({ max: 9 }), async (history, count) => {
      const store = await storeWith(history)
      const all = await new CatalogReader(store).read()
      const some = await new CatalogReader(store).readSome((listed) => listed.slice(0, count))
      expect(some.entries.map(({ id }) => id)).toEqual(all.entries.map(({ id }) => id))

      const [whole, begun] = [restoreCandidates(all), restoreCandidates(some)]
      const isAll = begun.end !== 'unread'
      const upTo = isAll ? undefined : begun.candidates.length
      expect(whole.candidates.slice(0, upTo)).toEqual(begun.candidates)
      expect(whole.skipped.slice(0, isAll ? undefined : begun.skipped.length)).toEqual(
        begun.skipped,
      )
      expect(isAll ? begun : whole).toEqual(whole)
      const links = chainOf(some).links.map(({ id, kind }) => ({ id, kind }))
      const read = links.findIndex(({ kind }) => kind === 'unread')
      const known = read === -1 ? links : links.slice(0, read)
      const first = chainOf(all).links.slice(0, known.length)
      expect(known).toEqual(first.map(({ id, kind }) => ({ id, kind })))
    })
    await fc.assert(property, { numRuns: 500 })
  })

  test('as many requests are made in a store of 200 as in one of 10', async () => {
    const counts = []
    for (const count of [10, 200]) {
      const seqs = Array.from({ length: count }, (_, index) => index + 1)
      const store = await storeOf(...seqs.map((seq) => manifestFor(0, seq)))
      await ensureCluster(store, CREATED)
      store.calls.length = 0
      const view = await new CatalogReader(store).readSome(newestOf)
      expect(restoreCandidates(view).candidates[0]?.seq).toBe(count)
      expect(isComplete(view)).toBe(false)
      counts.push(store.calls.length)
    }
    expect(counts).toEqual([10, 10])
  })

  test('what was planned once for a view is not planned again', async () => {
    const view = await new CatalogReader(await storeOf(manifestFor(0, 1))).read()
    expect(restoreCandidates(view)).toBe(restoreCandidates(view))
    expect(restoreCandidates({ ...view, tarballs: new Map() }).candidates).toEqual([])
  })

  test('all are read where no cluster.json says whose they are', async () => {
    const store = await storeOf(manifestFor(0, 1), manifestFor(0, 2))
    expect(isComplete(await new CatalogReader(store).readSome(() => []))).toBe(true)
  })

  test('what was read before is not forgotten, and what is missing is read when all is asked', async () => {
    const store = await storeOf(manifestFor(0, 1), manifestFor(0, 2))
    await ensureCluster(store, CREATED)
    const reader = new CatalogReader(store)
    await reader.readSome((listed) => listed.slice(0, 1))
    store.calls.length = 0
    expect(isComplete(await reader.read())).toBe(true)
    expect(isComplete(await reader.readSome(() => []))).toBe(true)
    const get = `get ${manifestKey(manifestFor(0, 1).id)}`
    expect(store.calls).toEqual(['list snapshots/', get, 'list snapshots/'])
  })

  test.each([0, 1])('what nobody read counts as another writer’s, in epoch %i', async (epoch) => {
    const store = await storeOf(claimFor(1, null), manifestFor(1, 1))
    if (epoch === 0) for (const key of store.bucket.objects.keys()) await store.delete(key)
    await ensureCluster(store, CREATED)
    const reader = new CatalogReader(store)
    const firstSeen = firstSeenOf(await reader.readSome(() => []))
    await lay(store, manifestFor(epoch, 2))
    const view = await new CatalogReader(store).readSome(() => [])
    expect(() => {
      assertMayPublish(view, { epoch, member: `member-${epoch}`, firstSeen })
    }).toThrow(expect.objectContaining({ code: 'MEILI_HA_SECOND_WRITER' }))
  })
})
