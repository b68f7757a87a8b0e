import { expect, test } from 'vitest'
import { manifestFor } from '@meili-ha/core/catalog/catalog-fixture.ts'
import { manifestKey } from '@meili-ha/core/catalog/names.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { fakePublisher, NOTHING_KNOWN } from './publisher.fixture.ts'

const NEVER = new AbortController().signal

/** A store of so many snapshots of another writer, on top of one that `publish` makes first. */
async function crowded(count: number) {
  const calls: string[] = []
  const to = await fakePublisher((store) => ({
    get: (...call: Parameters<Store['get']>) => {
      calls.push(call[0])
      return store.get(...call)
    },
  }))
  const file = await to.file('aaa')
  const { manifest } = await to.publisher().publish(file, NOTHING_KNOWN, NEVER)
  for (let seq = 2; seq <= count; seq++) {
    const next = { ...manifestFor(0, seq), clusterId: manifest.clusterId, writer: 'm0' }
    await to.store.put(next.object?.key as string, next.object?.key as string)
    await to.store.put(manifestKey(next.id), JSON.stringify(next))
  }
  calls.length = 0
  return { ...to, to, file, calls, manifest, publisher: to.publisher({ sparing: true }) }
}

test('one publication reads as many manifests in a store of 200 as in one of 10', async () => {
  const counts = []
  for (const count of [10, 200]) {
    const { to, calls, publisher } = await crowded(count)
    await using _ = to
    const published = await publisher.publish(await to.file('bbb'), NOTHING_KNOWN, NEVER)
    expect(published).toMatchObject({ already: false, manifest: { seq: count + 1 } })
    counts.push(calls.length)
  }
  expect(counts[1]).toBe(counts[0])
})

test('a file is found again however much was published since', async () => {
  const { to, file, manifest, publisher } = await crowded(20)
  await using _ = to
  expect(await publisher.publish(file, NOTHING_KNOWN, NEVER)).toMatchObject({
    already: true,
    manifest,
  })
})

test('another who writes meanwhile is noticed, and named', async () => {
  const { to, manifest } = await crowded(20)
  await using _ = to
  const { clusterId } = manifest
  const other = { ...manifestFor(0, 5), clusterId, writer: 'm2' }
  let looks = 0
  const current = async () => {
    // Asked before the first look, and again after the upload.
    if (++looks === 2) await to.store.put(manifestKey(other.id), JSON.stringify(other))
    return 0
  }
  const publisher = to.publisher({ sparing: true, terms: { current } })
  await expect(publisher.publish(await to.file('bbb'), NOTHING_KNOWN, NEVER)).rejects.toMatchObject(
    {
      code: 'MEILI_HA_SECOND_WRITER',
      message: `m2 published ${other.id}; this is m1`,
    },
  )
})
