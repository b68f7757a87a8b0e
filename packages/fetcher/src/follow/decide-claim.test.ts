import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CatalogView, Snapshot } from '@meili-ha/core/catalog/catalog-view.ts'
import { formatId, manifestKey } from '@meili-ha/core/catalog/names.ts'
import { restoreCandidates } from '@meili-ha/core/catalog/restore-candidates.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import { DIRECTORIES } from '../decide.ts'
import { situationOf } from '../situation.ts'
import { decideClaim, type ClaimDecision, type ClaimSituation } from './decide-claim.ts'

const sha = (n: number) => String(n).padStart(64, '0')

/** A published snapshot whose tarball's content is named by a number; null = an empty beginning. */
function snapshot(
  epoch: number,
  seq: number,
  content: number | null,
  writer = 'm1',
  of: string | null = null,
): Snapshot {
  const id = formatId({ epoch, seq })
  const object =
    content === null
      ? null
      : {
          key: `snapshots/${formatId({ epoch: 0, seq: content })}-20261123T080000Z.snapshot`,
          size: 1,
          partSize: 1,
          parts: [sha(content)],
          sha256: sha(content),
        }
  return {
    ...{ kind: 'snapshot', id, epoch, seq, key: manifestKey(id), etag: id },
    manifest: {
      ...{ format: 1, id, epoch, seq, createdAt: '2026-11-23T08:00:00Z', clusterId: 'c', writer },
      ...{ object, meilisearch: { version: '1.50.0' } },
      ...{ contents: { indexes: 0, unpackedBytes: 0 }, tasks: {} },
      ...(seq === 0 && { claim: { of } }),
    },
  }
}

function viewOf(newestFirst: Snapshot[], gone: number[] = []): CatalogView {
  const objects = newestFirst.flatMap(({ manifest }) => manifest.object ?? [])
  const there = objects.filter(({ sha256 }) => !gone.map(sha).includes(sha256))
  return {
    cluster: { clusterId: 'c', createdAt: '2026-11-23T08:00:00Z' },
    entries: newestFirst,
    tarballs: new Map(there.map(({ key, size }) => [key, { key, size, etag: key }])),
    strangers: [],
  }
}

const lineage = (more: Partial<Lineage>): Lineage => ({
  ...{ format: 1, clusterId: 'c', snapshotId: null, tarball: null, primaryIn: [], claim: null },
  lastTaskUid: null,
  ...more,
})

/** As the promotion of this member, `me`, would ask. */
function decided(view: CatalogView, held: Lineage, more: Partial<ClaimSituation> = {}) {
  const data = { state: 'whole', version: '1.50.0', lineage: held } as const
  const looker = { member: 'me', lease: true, engine: undefined }
  const { candidates } = restoreCandidates(view)
  const { directory, store } = situationOf(data, view, looker)
  const asked = { epoch: 9, lineage: held, allOwn: false, serving: false }
  return decideClaim({ ...asked, directory, store, view, candidates, ...more })
}

const base = snapshot(0, 1, 1)
const claimed = snapshot(1, 0, 1, 'm1', base.id)

describe('what an epoch begins with', () => {
  test('the newest good snapshot, by whoever holds the same tarball', () => {
    const held = lineage({ snapshotId: base.id, tarball: sha(1) })
    expect(decided(viewOf([claimed, base]), held)).toEqual({ claim: { epoch: 9, of: claimed.id } })
  })

  test('nothing older: the one who is behind catches up first', () => {
    const held = lineage({ snapshotId: base.id, tarball: sha(1) })
    expect(decided(viewOf([snapshot(1, 1, 2), claimed, base]), held)).toBe('catch-up')
  })

  test('its own newest, where the newest epoch is its own: it holds that and more', () => {
    const own = snapshot(2, 0, 1, 'me', claimed.id)
    const later = snapshot(2, 1, 5, 'me')
    const held = lineage({ snapshotId: own.id, tarball: sha(1), primaryIn: [2] })
    const view = viewOf([later, own, claimed, base])
    expect(decided(view, held)).toEqual({ claim: { epoch: 9, of: later.id } })
    expect(decided(view, held, { serving: true })).toEqual({ claim: { epoch: 9, of: later.id } })
  })

  test('an archive of itself, where what it published is gone from the store', () => {
    const own = snapshot(2, 0, 1, 'me', claimed.id)
    const held = lineage({ snapshotId: own.id, tarball: sha(1), primaryIn: [2] })
    const view = viewOf([snapshot(2, 1, 5, 'me'), own, claimed, base], [5])
    const claim = { epoch: 9, of: '0000000002-0000000001', archive: true }
    expect(decided(view, held)).toEqual({ claim })
    expect(decided(view, held, { serving: true })).toMatchObject({ refused: expect.any(String) })
  })

  test('an archive of itself, where the newest of its own can not be read any more', () => {
    const own = snapshot(2, 0, 1, 'me', claimed.id)
    const { id, epoch, seq, key, etag } = snapshot(2, 1, 5, 'me')
    const error = new MeiliHaError('MANIFEST_INVALID', 'junk')
    const place = { id, epoch, seq, key, etag, error, newerFormat: false, mayBeFinal: true }
    const view = viewOf([own, claimed, base])
    const entries = [{ kind: 'unreadable' as const, ...place }, ...view.entries]
    const held = lineage({ snapshotId: own.id, tarball: sha(1), primaryIn: [2] })
    expect(decided({ ...view, entries }, held)).toEqual({
      claim: { epoch: 9, of: id, archive: true },
    })
  })

  test('an archive of itself, where it alone still holds the newest', () => {
    const newest = snapshot(1, 1, 2)
    const held = lineage({ snapshotId: newest.id, tarball: sha(2) })
    expect(decided(viewOf([newest, claimed, base], [2]), held)).toEqual({
      claim: { epoch: 9, of: newest.id, archive: true },
    })
  })

  test('a claim that came to nothing gives no right to what another published since', () => {
    const held = lineage({ snapshotId: base.id, tarball: sha(1), claim: { epoch: 5, of: base.id } })
    expect(decided(viewOf([snapshot(1, 1, 2), claimed, base]), held)).toBe('catch-up')
  })

  test('two histories are for a person to choose between', () => {
    const held = lineage({ snapshotId: base.id, tarball: sha(1), primaryIn: [5] })
    expect(decided(viewOf([snapshot(1, 1, 2), claimed, base]), held)).toHaveProperty('refused')
  })

  test('who serves already is never moved, stopped or replaced', () => {
    for (const directory of DIRECTORIES.filter((name) => name !== 'leading')) {
      const found = decided(viewOf([claimed, base]), lineage({}), { directory, serving: true })
      expect(found).toHaveProperty('refused')
    }
  })

  test('whatever it holds: a claim is of the newest good one, or what it holds is archived', () => {
    const contents = fc.array(fc.integer({ min: 2, max: 6 }), { maxLength: 4 })
    fc.assert(
      fc.property(
        contents,
        fc.integer({ min: 1, max: 6 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 6 })),
        fc.constantFrom<number[]>([], [0], [1], [2], [0, 2]),
        fc.option(fc.integer({ min: 0, max: 3 }), { nil: null }),
        (published, holds, gone, primaryIn, claim) => {
          const own = published.map((content, index) => snapshot(1, index + 1, content))
          const view = viewOf([...own.toReversed(), claimed, base], gone)
          const held = lineage({
            ...{ snapshotId: own.at(holds - 1)?.id ?? base.id, tarball: sha(holds), primaryIn },
            claim: claim === null ? null : { epoch: claim, of: base.id },
          })
          assertSafe(view, held, decided(view, held))
        },
      ),
    )
  })
})

function assertSafe(view: CatalogView, held: Lineage, decision: ClaimDecision): void {
  if (decision === 'catch-up' || 'refused' in decision || decision.claim.archive) return
  const [newest] = restoreCandidates(view).candidates
  expect(decision.claim.of).toBe(newest?.id)
  const level = newest?.manifest.object.sha256 === held.tarball
  const own = held.primaryIn.includes(1) || held.claim?.epoch === 1
  expect(level || own).toBe(true)
}
