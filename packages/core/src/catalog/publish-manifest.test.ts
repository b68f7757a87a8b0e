import { describe, expect, test } from 'vitest'
import { MeiliHaError } from '../errors.ts'
import { claimFor, lay, manifestFor, storeOf } from './catalog-fixture.ts'
import type { Manifest } from './manifest.ts'
import { firstSeenOf } from './may-publish.ts'
import { MemoryStore } from './memory-store.ts'
import { publishManifest, writeManifest } from './publish-manifest.ts'
import { CatalogReader } from './read-catalog.ts'

const code = (name: string) => expect.objectContaining({ code: `MEILI_HA_${name}` })

const alone = { epoch: 0, member: 'member-0', firstSeen: new Map<string, string>() }

async function withTarball(manifest: Manifest, ...before: Manifest[]) {
  const store = await storeOf(...before)
  await store.put(manifest.object?.key as string, manifest.object?.key as string)
  return { store, reader: new CatalogReader(store) }
}

describe('publishing', () => {
  test('shows the new snapshot as the newest', async () => {
    const { reader } = await withTarball(manifestFor(0, 1))
    const view = await publishManifest(reader, manifestFor(0, 1), alone)
    expect(view.entries[0]?.id).toBe(manifestFor(0, 1).id)
  })

  test('never names a tarball that is not there', async () => {
    const reader = new CatalogReader(await storeOf())
    await expect(publishManifest(reader, manifestFor(0, 1), alone)).rejects.toThrow(
      code('STORE_NOT_FOUND'),
    )
    expect((await reader.read()).entries).toEqual([])
  })

  test('is refused once a higher epoch exists, be it only between look and write', async () => {
    const { store } = await withTarball(manifestFor(0, 1))
    let begun = false
    const pause = async (call: string) => {
      if (!call.startsWith('put') || begun) return
      begun = true
      await lay(store, claimFor(1, null))
    }
    const reader = new CatalogReader(new MemoryStore(store.bucket, { pause }))
    await expect(publishManifest(reader, manifestFor(0, 1), alone)).rejects.toThrow(
      code('SUPERSEDED'),
    )
  })

  test('without a lease is refused when another writer appeared since the first LIST, not for older ones', async () => {
    const other = manifestFor(0, 1, { writer: 'other' })
    const { store, reader } = await withTarball(manifestFor(0, 3), other)
    const me = { ...alone, firstSeen: firstSeenOf(await reader.read()) }
    await publishManifest(reader, manifestFor(0, 3), me)
    await lay(store, manifestFor(0, 2, { writer: 'other' }))
    await expect(publishManifest(reader, manifestFor(0, 3), me)).rejects.toThrow(
      code('SECOND_WRITER'),
    )
  })

  test('needs the claim of the own epoch first', async () => {
    const { reader } = await withTarball(manifestFor(1, 1))
    const me = { ...alone, epoch: 1, member: 'member-1' }
    await expect(publishManifest(reader, manifestFor(1, 1), me)).rejects.toThrow(
      code('CLAIM_MISSING'),
    )
    await publishManifest(reader, claimFor(1, null), me)
    await publishManifest(reader, manifestFor(1, 1), me)
  })

  test('a claim written again after a crash is the same claim, at whatever hour', async () => {
    const store = await storeOf(claimFor(1, null, 0))
    await writeManifest(store, claimFor(1, null, 7))
    expect(store.calls.filter((call) => call.startsWith('put'))).toHaveLength(1)
  })

  test('an answer that was lost after the write took effect is a success', async () => {
    const manifest = manifestFor(0, 1)
    const { store } = await withTarball(manifest)
    const lossy = Object.assign(new MemoryStore(store.bucket), {
      put: async (key: string, body: string) => {
        await store.put(key, body)
        throw new MeiliHaError('STORE_UNREACHABLE', 'no answer')
      },
    })
    await writeManifest(lossy, manifest)
  })

  test('never replaces other content, even where the store would', async () => {
    const { bucket } = await storeOf(manifestFor(0, 1, { writer: 'other' }))
    const store = new MemoryStore(bucket, { conditions: false })
    await expect(writeManifest(store, manifestFor(0, 1))).rejects.toThrow(code('STORE_CONFLICT'))
  })
})
