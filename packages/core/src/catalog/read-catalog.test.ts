import { describe, expect, test } from 'vitest'
import { claimFor, CLUSTER, lay, manifestFor, storeOf } from './catalog-fixture.ts'
import { isLevelWith, snapshotsOf } from './catalog-view.ts'
import { assertCluster, ensureCluster } from './cluster.ts'
import { parseManifest } from './manifest.ts'
import { MemoryBucket, MemoryStore } from './memory-store.ts'
import { formatId, manifestKey, parseKey, tarballKey } from './names.ts'
import { nextSeq, resumableUpload } from './next-seq.ts'
import { CatalogReader } from './read-catalog.ts'

describe('reading', () => {
  test('an idle poll costs one LIST, a new snapshot one GET more', async () => {
    const store = await storeOf(manifestFor(0, 1), manifestFor(0, 2))
    await ensureCluster(store, { clusterId: CLUSTER, createdAt: '2026-11-01T00:00:00Z' })
    const reader = new CatalogReader(store)
    await reader.read()
    store.calls.length = 0
    await reader.read()
    expect(store.calls).toEqual(['list snapshots/'])
    const third = manifestFor(0, 3)
    await lay(store, third)
    store.calls.length = 0
    expect(snapshotsOf(await reader.read())[0]?.manifest).toEqual(third)
    expect(store.calls).toEqual([
      'list snapshots/',
      `get ${manifestKey(third.id)}`,
      'get cluster.json',
    ])
  })

  test('a manifest that was listed and then vanished is not left out silently', async () => {
    const { bucket } = await storeOf(claimFor(1, null))
    const vanish = async (call: string) => {
      if (call.startsWith('get snapshots/')) bucket.objects.delete(call.slice(4))
    }
    const view = await new CatalogReader(new MemoryStore(bucket, { pause: vanish })).read()
    expect(view.entries.map(({ kind }) => kind)).toEqual(['unreadable'])
  })

  test('what is no manifest by name is noted, and other objects are nobody’s business', async () => {
    const store = await storeOf()
    await store.put('snapshots/odd.json', '{}')
    await store.put('snapshots/notes.txt', '')
    const view = await new CatalogReader(store).read()
    expect(view).toMatchObject({ entries: [], strangers: ['snapshots/odd.json'] })
  })
})

describe('names', () => {
  test('say epoch, seq and time, and sort as numbers do', () => {
    const id = formatId({ epoch: 12, seq: 3 })
    const key = tarballKey(id, new Date('2026-11-23T07:49:29.7Z'))
    expect(key).toBe('snapshots/0000000012-0000000003-20261123T074929Z.snapshot')
    expect(parseKey(key)).toEqual({
      kind: 'tarball',
      id,
      epoch: 12,
      seq: 3,
      utc: '20261123T074929Z',
    })
    expect(parseKey('snapshots/1-2.json')).toBeUndefined()
    expect(() => formatId({ epoch: 10_000_000_000, seq: 0 })).toThrow(RangeError)
  })

  test('level with means the same tarball, not the same id', () => {
    const manifest = manifestFor(1, 1)
    const claim = claimFor(2, manifest)
    const snapshot = {
      kind: 'snapshot' as const,
      id: claim.id,
      epoch: 2,
      seq: 0,
      key: '',
      etag: '',
    }
    expect(isLevelWith({ ...snapshot, manifest: claim }, manifest.object?.sha256 ?? null)).toBe(
      true,
    )
    expect(isLevelWith({ ...snapshot, manifest: claim }, null)).toBe(false)
  })
})

describe('a manifest is refused when', () => {
  const good = manifestFor(2, 1)
  const claim = claimFor(2, manifestFor(1, 1))
  test.each([
    ["it has another's name", '0000000002-0000000002', good],
    ["it names another's tarball", good.id, { ...good, object: manifestFor(2, 9).object }],
    [
      'its sha256 is not that of its parts',
      good.id,
      { ...good, object: { ...good.object, sha256: 'a'.repeat(64) } },
    ],
    ['it claims its own epoch', claim.id, { ...claim, claim: { of: good.id } }],
    ['it has no tarball and is no claim', good.id, { ...good, object: null }],
    ['its time is none', good.id, { ...good, createdAt: 'yesterday' }],
  ])('%s', (_why, id, manifest) => {
    expect(() => parseManifest(id, JSON.stringify(manifest))).toThrow(
      expect.objectContaining({ code: 'MEILI_HA_MANIFEST_INVALID' }),
    )
  })

  test('(unlike one with unknown fields, which are kept)', () => {
    const manifest = {
      ...good,
      tasks: { snapshotStartedAt: '2026-11-23T07:49:29.123456789Z' },
      future: 1,
    }
    expect(parseManifest(good.id, JSON.stringify(manifest))).toEqual(manifest)
  })
})

describe('a seq is never used twice', () => {
  test('whoever bears it: a manifest, even damaged, a tarball, an upload, a note', async () => {
    const store = await storeOf(manifestFor(1, 9), claimFor(2, null), manifestFor(2, 1))
    await store.put(manifestKey('0000000002-0000000002'), '{')
    const view = await new CatalogReader(store).read()
    expect(nextSeq(view, [], 2)).toBe(3)
    await store.put(manifestFor(2, 3).object?.key as string, 'x')
    const later = await new CatalogReader(store).read()
    expect(nextSeq(later, [], 2)).toBe(4)
    const key = manifestFor(2, 5).object?.key as string
    expect(nextSeq(later, [{ key, uploadId: 'u' }], 2)).toBe(6)
    expect(nextSeq(later, [], 2, { epoch: 2, seq: 8 })).toBe(8)
    expect(nextSeq(later, [], 3, { epoch: 2, seq: 8 })).toBe(1)
  })

  test('an unfinished upload is gone on with for the same file, unless something newer is out', async () => {
    const at = new Date('2026-11-23T07:49:29Z')
    const upload = { key: tarballKey(formatId({ epoch: 0, seq: 2 }), at), uploadId: 'u' }
    const view = await new CatalogReader(await storeOf(manifestFor(0, 1))).read()
    expect(resumableUpload(view, [upload], 0, at)).toBe(upload)
    expect(resumableUpload(view, [upload], 0, new Date(0))).toBeUndefined()
    expect(resumableUpload(view, [upload], 1, at)).toBeUndefined()
    const newer = await new CatalogReader(await storeOf(manifestFor(0, 2))).read()
    expect(resumableUpload(newer, [upload], 0, at)).toBeUndefined()
  })
})

describe.each([true, false])('cluster.json (conditions honoured: %s)', (conditions) => {
  const record = (clusterId: string) => ({ clusterId, createdAt: '2026-11-01T00:00:00Z' })

  test('is created once, and refuses another cluster', async () => {
    const store = new MemoryStore(new MemoryBucket(), { conditions })
    await ensureCluster(store, record('a'))
    expect(await ensureCluster(store, record('a'))).toEqual(record('a'))
    await expect(ensureCluster(store, record('b'))).rejects.toThrow('belongs to cluster a')
  })

  test('a store with manifests of another cluster is refused even without it', async () => {
    const view = await new CatalogReader(await storeOf(manifestFor(0, 1))).read()
    expect(() => assertCluster(view, 'other')).toThrow(CLUSTER)
  })
})
