import { appendFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { claimFor, CLUSTER, manifestFor } from '@meili-ha/core/catalog/catalog-fixture.ts'
import { manifestKey, type Position } from '@meili-ha/core/catalog/names.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import type { PutFileOptions, SizedFile, Store, StoredFile } from '@meili-ha/core/store/store.ts'
import { cutOff, fakePublisher, NOTHING_KNOWN } from './publisher.fixture.ts'

const NEVER = new AbortController().signal
const CLAIM: Manifest = { ...claimFor(3, manifestFor(0, 1)), writer: 'm1' }

async function begin(store: Store): Promise<void> {
  const old = manifestFor(0, 1)
  await store.put(old.object?.key as string, old.object?.key as string)
  for (const manifest of [old, CLAIM]) {
    await store.put(manifestKey(manifest.id), JSON.stringify(manifest))
  }
}

describe('a snapshot file', () => {
  test('that was published in this epoch is found again by its content', async () => {
    await using to = await fakePublisher()
    const file = await to.file('aaa')
    const first = await to.publisher().publish(file, NOTHING_KNOWN, NEVER)
    const again = await to.publisher().publish(file, NOTHING_KNOWN, NEVER)
    expect([first.already, again.already]).toEqual([false, true])
    expect(again.manifest).toEqual(first.manifest)
  })

  test('of the same size and second, but with other content, is another snapshot', async () => {
    await using to = await fakePublisher()
    const publisher = to.publisher()
    await publisher.publish(await to.file('aaa'), NOTHING_KNOWN, NEVER)
    const other = await publisher.publish(await to.file('bbb'), NOTHING_KNOWN, NEVER)
    expect(other).toMatchObject({ already: false, manifest: { seq: 2 } })
  })

  test('that an earlier epoch published is published again: the term is another', async () => {
    await using to = await fakePublisher()
    const file = await to.file('aaa')
    const clusterId = async () => CLUSTER
    const publisher = to.publisher({ clusterId })
    await publisher.publish(await to.file('bbb'), NOTHING_KNOWN, NEVER)
    await publisher.publish(file, NOTHING_KNOWN, NEVER)
    await begin(to.store)
    const terms = { current: async () => 3 }
    const again = await to.publisher({ terms, clusterId }).publish(file, NOTHING_KNOWN, NEVER)
    expect(again).toMatchObject({ already: false, manifest: { epoch: 3, seq: 1 } })
  })

  test('that was told to stop while it is compared says so', async () => {
    await using to = await fakePublisher()
    const file = await to.file('aaa')
    await to.publisher().publish(file, NOTHING_KNOWN, NEVER)
    await expect(
      to.publisher().publish(file, NOTHING_KNOWN, AbortSignal.abort()),
    ).rejects.toMatchObject({ code: 'MEILI_HA_CANCELLED' })
  })

  test('that is cut off stops its own upload and leaves nothing', async () => {
    let told: AbortSignal | undefined
    await using to = await fakePublisher(() => ({
      putFile: async (_key: string, file: SizedFile, { signal }: PutFileOptions) => {
        told = signal
        await file.handle.read(Buffer.alloc(file.size), 0, file.size, 0)
        return new Promise<StoredFile>((_resolve, reject) =>
          signal?.addEventListener('abort', () => reject(new Error('aborted'))),
        )
      },
    }))
    const bad = await to.file('bad', cutOff())
    await expect(to.publisher().publish(bad, NOTHING_KNOWN, NEVER)).rejects.toMatchObject({
      code: 'MEILI_HA_SNAPSHOT_DAMAGED',
    })
    expect(told?.aborted).toBe(true)
  })

  test('that is found bad only after its upload is removed from the store', async () => {
    await using to = await fakePublisher()
    const bad = await to.file('bad', cutOff())
    await expect(to.publisher().publish(bad, NOTHING_KNOWN, NEVER)).rejects.toMatchObject({
      code: 'MEILI_HA_SNAPSHOT_DAMAGED',
    })
    expect(await to.store.list('')).toEqual([])
    expect(await to.store.listUploads('')).toEqual([])
  })

  test('that is written to while it is read is not published, and leaves nothing', async () => {
    await using to = await fakePublisher()
    const file = await to.file('aaa')
    const onPart = () => appendFileSync(file.path, '!')
    await expect(
      to.publisher({ onPart }).publish(file, NOTHING_KNOWN, NEVER),
    ).rejects.toMatchObject({ code: 'MEILI_HA_SNAPSHOT_DAMAGED' })
    expect(await to.store.list('')).toEqual([])
  })
})

describe('with a lease', () => {
  const clusterId = async () => CLUSTER

  test('nothing is published without a permit, or before the claim', async () => {
    await using to = await fakePublisher()
    const file = await to.file('aaa')
    const refusals = [
      [undefined, 'MEILI_HA_NOT_PERMITTED'],
      [3, 'MEILI_HA_CLAIM_MISSING'],
    ] as const
    for (const [epoch, code] of refusals) {
      const terms = { current: async () => epoch }
      await expect(
        to.publisher({ terms, clusterId }).publish(file, NOTHING_KNOWN, NEVER),
      ).rejects.toMatchObject({ code })
    }
    expect(await to.store.list('')).toEqual([])
  })

  test.each([undefined, 4])('an upload is not carried into another term (%s)', async (next) => {
    await using to = await fakePublisher()
    await begin(to.store)
    let epoch: number | undefined = 3
    const terms = { current: async () => epoch }
    const onPart = () => {
      epoch = next
    }
    await expect(
      to
        .publisher({ terms, clusterId, onPart })
        .publish(await to.file('aaa'), NOTHING_KNOWN, NEVER),
    ).rejects.toMatchObject({ code: 'MEILI_HA_NOT_PERMITTED' })
    expect((await to.catalog.read()).entries).toHaveLength(2)
  })

  test('an unfinished upload is gone on with where a store shows it only by its name', async () => {
    const wanted = 'snapshots/0000000003-0000000007-20261123T080000Z.snapshot'
    await using to = await fakePublisher(() => ({
      listUploads: async (prefix) => (prefix === wanted ? [{ key: wanted, uploadId: 'u' }] : []),
    }))
    await begin(to.store)
    const terms = { current: async () => 3 }
    const seqs = { lowest: () => ({ epoch: 3, seq: 8 }), use: async () => {} }
    const { manifest } = await to
      .publisher({ terms, clusterId, seqs })
      .publish(await to.file('aaa'), NOTHING_KNOWN, NEVER)
    expect(manifest.object?.key).toBe(wanted)
  })

  test('a seq is noted before it is used, and one that was noted is never used again', async () => {
    const used: Position[] = []
    await using to = await fakePublisher((store) => ({
      putFile: (key, ...rest) => {
        expect(used).toEqual([{ epoch: 3, seq: 8 }])
        return store.putFile(key, ...rest)
      },
    }))
    await begin(to.store)
    const terms = { current: async () => 3 }
    const seqs = {
      lowest: () => ({ epoch: 3, seq: 8 }),
      use: async (position: Position) => void used.push(position),
    }
    const { manifest } = await to
      .publisher({ terms, clusterId, seqs })
      .publish(await to.file('aaa'), NOTHING_KNOWN, NEVER)
    expect(manifest.seq).toBe(8)
  })
})
