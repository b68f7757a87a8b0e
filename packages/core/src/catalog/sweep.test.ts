import { describe, expect, test } from 'vitest'
import { claimFor, lay, manifestFor, storeOf } from './catalog-fixture.ts'
import { MemoryStore } from './memory-store.ts'
import { manifestKey } from './names.ts'
import { CatalogReader } from './read-catalog.ts'
import { Sweeper } from './sweep.ts'

describe('sweeping', () => {
  const entitled = { epoch: 0, stillPrimary: async () => true }
  const orphan = manifestFor(0, 7)
  const key = orphan.object?.key as string

  async function prepared() {
    const store = await storeOf(manifestFor(0, 1))
    await store.put(key, key)
    const reader = new CatalogReader(store)
    store.bucket.uploads = [{ key: manifestFor(0, 8).object?.key as string, uploadId: 'u' }]
    const clock = { now: 0 }
    const sweeper = new Sweeper({ reader, graceMs: 100, now: () => clock.now })
    return { store, clock, sweeper }
  }

  test('takes orphans and unfinished uploads once the grace time has passed, and not before', async () => {
    const { store, clock, sweeper } = await prepared()
    expect(await sweeper.sweep(entitled)).toMatchObject({ deleted: [], aborted: [], waiting: 2 })
    clock.now = 99
    expect(await sweeper.sweep(entitled)).toMatchObject({ deleted: [], aborted: [] })
    clock.now = 100
    const swept = { deleted: [key], freedBytes: key.length, waiting: 0 }
    expect(await sweeper.sweep(entitled)).toMatchObject(swept)
    expect(store.bucket.uploads).toEqual([])
    expect(store.bucket.objects.size).toBe(2)
  })

  test.each([
    ['it is in use here', async () => {}, new Set([key]), entitled],
    [
      'the permit is gone',
      async () => {},
      new Set<string>(),
      { ...entitled, stillPrimary: async () => false },
    ],
    [
      'a later epoch has begun',
      (store: MemoryStore) => lay(store, claimFor(1, null)),
      new Set<string>(),
      entitled,
    ],
    [
      'it was published meanwhile',
      (store: MemoryStore) => store.put(manifestKey(orphan.id), JSON.stringify(orphan)),
      new Set<string>(),
      entitled,
    ],
    [
      'any manifest can’t be read',
      (store: MemoryStore) => store.put(manifestKey('0000000000-0000000002'), '{'),
      new Set<string>(),
      entitled,
    ],
    [
      'a stranger lies there',
      (store: MemoryStore) => store.put('snapshots/odd.json', '{'),
      new Set<string>(),
      entitled,
    ],
  ])('spares a tarball when %s', async (_why, before, inUse, who) => {
    const { store, clock, sweeper } = await prepared()
    await sweeper.sweep(entitled)
    await before(store)
    clock.now = 1_000
    expect(await sweeper.sweep(who, inUse)).toMatchObject({ deleted: [] })
    expect(store.bucket.objects.has(key)).toBe(true)
  })

  test('looks once more right before each deletion', async () => {
    const { store, clock } = await prepared()
    let lists = 0
    const pause = async (call: string) => {
      // Every call pauses twice; the fifth is before the second LIST of the second sweep.
      if (!call.startsWith('list ') || ++lists !== 5) return
      await store.put(manifestKey(orphan.id), JSON.stringify(orphan))
    }
    const reader = new CatalogReader(new MemoryStore(store.bucket, { pause }))
    const sweeper = new Sweeper({ reader, graceMs: 100, now: () => clock.now })
    await sweeper.sweep(entitled)
    clock.now = 100
    expect(await sweeper.sweep(entitled)).toMatchObject({ deleted: [] })
    expect(lists).toBeGreaterThan(5)
  })

  test('grants the whole grace anew to what was referenced in between', async () => {
    const { store, clock, sweeper } = await prepared()
    await sweeper.sweep(entitled)
    await store.put(manifestKey(orphan.id), JSON.stringify(orphan))
    clock.now = 60
    await sweeper.sweep(entitled)
    await store.delete(manifestKey(orphan.id))
    clock.now = 120
    expect(await sweeper.sweep(entitled)).toMatchObject({ deleted: [] })
  })
})
