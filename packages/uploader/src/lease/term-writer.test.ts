import { describe, expect, test } from 'vitest'
import { verifySnapshot } from '@meili-ha/core/archive/verify-snapshot.ts'
import { isInitialised } from '@meili-ha/core/catalog/catalog-view.ts'
import { claimFor, CLUSTER, manifestFor } from '@meili-ha/core/catalog/catalog-fixture.ts'
import { manifestKey } from '@meili-ha/core/catalog/names.ts'
import { publishedSchema } from '@meili-ha/core/ha/sync.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { CLOCK, fakeMember, lay, makeDatabase, NEVER } from './member.fixture.ts'
import { PublishedNote } from './published-note.ts'

const SNAPSHOT = manifestFor(0, 1)

describe('a claim', () => {
  test('of a published snapshot names it and shares its tarball', async () => {
    await using member = await fakeMember()
    await lay(member.store, SNAPSHOT)
    await member.ha.writeLine('want', 'promote 1')
    await member.writer.claim({ epoch: 1, of: SNAPSHOT.id }, CLUSTER, NEVER)
    expect((await member.published())[0]).toMatchObject({
      ...{ epoch: 1, seq: 0, claim: { of: SNAPSHOT.id }, writer: 'm1', clusterId: CLUSTER },
      object: SNAPSHOT.object,
    })
    expect(await member.ha.readJson('published.json', publishedSchema)).toMatchObject({
      ...{ claimed: 1, nextSeq: { epoch: 1, seq: 1 } },
    })
  })

  test('of an empty beginning names no tarball and gives the cluster its id', async () => {
    await using member = await fakeMember()
    await member.ha.writeLine('want', 'promote 1')
    await member.writer.claim({ epoch: 1, of: null }, null, NEVER)
    const { cluster, entries } = await member.catalog.read()
    expect(entries).toMatchObject([
      { manifest: { claim: { of: null }, object: null, clusterId: cluster?.clusterId } },
    ])
  })

  test.each([null, SNAPSHOT.id])(
    'of what nothing published holds archives the stopped directory (of %s)',
    async (of) => {
      await using member = await fakeMember()
      if (of) await lay(member.store, SNAPSHOT)
      await makeDatabase(member.dataMs)
      await member.guard('stopped -')
      await member.ha.writeLine('want', 'promote 1')
      await member.writer.claim({ epoch: 1, of, archive: true }, of && CLUSTER, NEVER)
      const [claim] = await member.published()
      if (!claim || !claim.object) throw new Error('no archive')
      expect(claim).toMatchObject({ claim: { of }, meilisearch: { version: '1.50.0' } })
      expect(claim.tasks.snapshotStartedAt).toBe(claim.createdAt)
      expect(claim.object.key).not.toBe(SNAPSHOT.object?.key)
      const { body } = await member.store.get(claim.object.key)
      expect(await verifySnapshot(one(body))).toMatchObject({ version: '1.50.0', indexes: 1 })
    },
  )

  test('archived, follows even one that is unreadable now, but none of a newer format', async () => {
    await using member = await fakeMember()
    await lay(member.store, SNAPSHOT)
    await makeDatabase(member.dataMs)
    await member.guard('stopped -')
    await member.ha.writeLine('want', 'promote 1')
    const damage = (body: string) => member.store.put(manifestKey(SNAPSHOT.id), body)
    const claim = () =>
      member.writer.claim({ epoch: 1, of: SNAPSHOT.id, archive: true }, CLUSTER, NEVER)
    await damage('{"format": 2}')
    await expect(claim()).rejects.toMatchObject({ code: 'MEILI_HA_MANIFEST_NEWER_FORMAT' })
    await damage('{"format": 1, "junk": tr')
    await claim()
    const [written] = await member.published()
    expect(written).toMatchObject({ epoch: 1, seq: 0, claim: { of: SNAPSHOT.id } })
    expect(written && written.object?.key).toContain('0000000001-0000000000')
  })

  test('of a running directory is refused', async () => {
    await using member = await fakeMember()
    await makeDatabase(member.dataMs)
    await member.ha.writeLine('want', 'promote 1')
    const claim = () => member.writer.claim({ epoch: 1, of: null, archive: true }, null, NEVER)
    await expect(claim()).rejects.toMatchObject({ code: 'MEILI_HA_GUARD_SILENT' })
    await member.guard('stopped -', 300)
    await expect(claim()).rejects.toMatchObject({ code: 'MEILI_HA_GUARD_SILENT' })
    await member.guard('running 7')
    await expect(claim()).rejects.toMatchObject({ code: 'MEILI_HA_NOT_PERMITTED' })
    expect(await member.store.list('')).toEqual([])
  })

  test('that nobody wants any more is not written', async () => {
    await using member = await fakeMember()
    await lay(member.store, SNAPSHOT)
    await member.ha.writeLine('want', 'follow 1')
    await expect(
      member.writer.claim({ epoch: 1, of: SNAPSHOT.id }, CLUSTER, NEVER),
    ).rejects.toMatchObject({ code: 'MEILI_HA_NOT_PERMITTED' })
    expect(await member.published()).toHaveLength(1)
  })

  test('of an empty beginning leaves an unused store unless it is written: it can be begun again', async () => {
    await using member = await fakeMember()
    await member.ha.writeLine('want', 'follow 1')
    const claim = member.writer.claim({ epoch: 1, of: null }, null, NEVER)
    await expect(claim).rejects.toMatchObject({ code: 'MEILI_HA_NOT_PERMITTED' })
    expect(isInitialised(await member.catalog.read())).toBe(false)
  })

  test('written before a crash gives the cluster its id when it is adopted', async () => {
    await using member = await fakeMember()
    const own = { ...claimFor(1, SNAPSHOT), writer: 'm1', object: null, claim: { of: null } }
    await lay(member.store, own)
    await member.ha.writeLine('want', 'promote 1')
    await member.writer.claim({ epoch: 1, of: null }, null, NEVER)
    expect((await member.catalog.read()).cluster?.clusterId).toBe(CLUSTER)
  })

  test('that this member wrote before a crash is adopted as it is', async () => {
    await using member = await fakeMember()
    const own = { ...claimFor(1, SNAPSHOT), writer: 'm1' }
    await lay(member.store, SNAPSHOT, own)
    await member.ha.writeLine('want', 'promote 1')
    await member.writer.claim({ epoch: 1, of: SNAPSHOT.id }, CLUSTER, NEVER)
    expect((await member.published())[0]).toEqual(own)
    expect(member.told).toEqual([own])
    expect(member.note.facts.claimed).toBe(1)
  })

  test('is refused where the epoch claims something else, or is claimed by another', async () => {
    await using member = await fakeMember()
    await lay(member.store, SNAPSHOT, { ...claimFor(1, SNAPSHOT), writer: 'm1' })
    await member.ha.writeLine('want', 'promote 1')
    await expect(member.writer.claim({ epoch: 1, of: null }, CLUSTER, NEVER)).rejects.toMatchObject(
      { code: 'MEILI_HA_STORE_CONFLICT' },
    )
    await lay(member.store, claimFor(2, SNAPSHOT))
    await member.ha.writeLine('want', 'promote 2')
    await expect(
      member.writer.claim({ epoch: 2, of: SNAPSHOT.id }, CLUSTER, NEVER),
    ).rejects.toMatchObject({ code: 'MEILI_HA_SECOND_WRITER' })
    expect(member.note.facts.claimed).toBeNull()
  })

  test('of a snapshot that is gone, or of another cluster, is refused', async () => {
    await using member = await fakeMember()
    await lay(member.store, SNAPSHOT)
    await member.ha.writeLine('want', 'promote 1')
    const claim = (of: string, cluster: string) =>
      member.writer.claim({ epoch: 1, of }, cluster, NEVER)
    await expect(claim('0000000000-0000000009', CLUSTER)).rejects.toMatchObject({
      code: 'MEILI_HA_STORE_NOT_FOUND',
    })
    await expect(claim(SNAPSHOT.id, 'other')).rejects.toMatchObject({
      code: 'MEILI_HA_WRONG_CLUSTER',
    })
    expect((await member.catalog.read()).cluster).toBeUndefined()
  })
})

describe('a final snapshot', () => {
  const begun = async (wrap?: (store: Store) => Store) => {
    const member = await fakeMember(wrap)
    await lay(member.store, SNAPSHOT, { ...claimFor(1, SNAPSHOT), writer: 'm1' })
    await makeDatabase(member.dataMs, 100_000)
    await member.guard('stopped -')
    await member.ha.writeLine('want', 'final 1')
    return member
  }

  test('is the archive of the stopped directory, newer than all that was published', async () => {
    await using member = await begun()
    await member.note.set({ nextSeq: { epoch: 1, seq: 5 } })
    await member.writer.final(1, NEVER)
    const [final] = await member.published()
    expect(final).toMatchObject({ epoch: 1, seq: 5, final: true, clusterId: CLUSTER })
    expect(member.note.facts).toMatchObject({
      nextSeq: { epoch: 1, seq: 6 },
      final: { epoch: 1, id: '0000000001-0000000005' },
    })
  })

  test('is refused while Meilisearch runs', async () => {
    await using member = await begun()
    await member.guard('running 7')
    await expect(member.writer.final(1, NEVER)).rejects.toMatchObject({
      code: 'MEILI_HA_NOT_PERMITTED',
    })
    expect(await member.published()).toHaveLength(2)
    expect(member.note.lowest()).toBeNull()
  })

  test('is thrown away when Meilisearch ran again before it was done', async () => {
    let started: () => Promise<void> = async () => {}
    await using member = await begun((store) =>
      change(store, {
        putStream: async (...call) => {
          const stored = await store.putStream(...call)
          await started()
          return stored
        },
      }),
    )
    started = () => member.guard('running 7')
    await expect(member.writer.final(1, NEVER)).rejects.toMatchObject({
      code: 'MEILI_HA_NOT_PERMITTED',
    })
    expect(await member.published()).toHaveLength(2)
  })

  test('ends at once when it is not wanted any more', async () => {
    let begins: () => void = () => {}
    const began = new Promise<void>((resolve) => (begins = resolve))
    await using member = await begun((store) =>
      change(store, {
        putStream: (_key, _stream, { signal }) => {
          begins()
          return new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(new Error('aborted')))
          })
        },
      }),
    )
    const final = member.writer.final(1, NEVER)
    final.catch(() => {})
    await began
    await member.ha.writeLine('want', 'follow 1')
    await expect(final).rejects.toMatchObject({ code: 'MEILI_HA_NOT_PERMITTED' })
    expect(await member.published()).toHaveLength(2)
  })

  test('is not told of when the hand-over was given up while its manifest was written', async () => {
    let given: () => Promise<void> = async () => {}
    await using member = await begun((store) =>
      change(store, {
        put: async (...call) => {
          await given()
          return store.put(...call)
        },
      }),
    )
    given = () => member.ha.writeLine('want', 'follow 1')
    await expect(member.writer.final(1, NEVER)).rejects.toMatchObject({
      code: 'MEILI_HA_NOT_PERMITTED',
    })
    expect(member.note.facts.final).toBeNull()
  })

  test('is refused in an epoch that another member began', async () => {
    await using member = await begun()
    await lay(member.store, claimFor(2, SNAPSHOT))
    await member.ha.writeLine('want', 'final 2')
    await expect(member.writer.final(2, NEVER)).rejects.toMatchObject({
      code: 'MEILI_HA_SECOND_WRITER',
    })
    await member.ha.writeLine('want', 'final 1')
    await expect(member.writer.final(1, NEVER)).rejects.toMatchObject({
      code: 'MEILI_HA_SUPERSEDED',
    })
  })

  test('is known to an uploader that was started again', async () => {
    await using member = await begun()
    await member.writer.final(1, NEVER)
    const again = new PublishedNote(member.ha, CLOCK)
    await again.load()
    expect(again.facts.final).toEqual(member.note.facts.final)
  })
})

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

function change(store: Store, changes: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, name: keyof Store) => {
      const value = changes[name] ?? target[name]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
