import { describe, expect, test } from 'vitest'
import type { CatalogView, Snapshot } from '@meili-ha/core/catalog/catalog-view.ts'
import { formatId } from '@meili-ha/core/catalog/names.ts'
import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import { situationOf } from './situation.ts'

const snapshot = (epoch: number, seq: number, writer: string, empty = false) => {
  const id = formatId({ epoch, seq })
  const key = `snapshots/${id}-20261123T080000Z.snapshot`
  const object = empty ? null : { key, size: 1, sha256: id }
  const claim = seq === 0 ? { claim: { of: null } } : {}
  const manifest = { id, epoch, seq, clusterId: 'c', writer, object, ...claim }
  return { kind: 'snapshot', id, epoch, seq, manifest } as unknown as Snapshot
}

const viewOf = (...newestFirst: Snapshot[]): CatalogView => ({
  cluster: newestFirst.length > 0 ? { clusterId: 'c', createdAt: '' } : undefined,
  entries: newestFirst,
  tarballs: new Map(
    newestFirst.flatMap(({ manifest: { object } }) =>
      object ? [[object.key, { key: object.key, size: 1, etag: '' }]] : [],
    ),
  ),
  strangers: [],
})

const lineage = (primaryIn: number[], more: Partial<Lineage> = {}): Lineage => ({
  ...{ format: 1, clusterId: 'c', snapshotId: null, tarball: null, primaryIn, claim: null },
  ...{ lastTaskUid: null, ...more },
})

function seen(held: Lineage | 'damaged' | undefined, view: CatalogView | undefined, lease = true) {
  const data = { state: 'whole', version: '1.50.0', lineage: held } as const
  return situationOf(data, view, { member: 'me', lease, engine: '1.51.0' })
}

describe('a data directory against the store', () => {
  const theirs = viewOf(snapshot(4, 1, 'm1'), snapshot(4, 0, 'm1'))
  const own = viewOf(snapshot(4, 1, 'me'), snapshot(4, 0, 'me'))

  test.each<[string, Lineage, CatalogView | undefined, string]>([
    ['never took writes', lineage([]), theirs, 'pristine'],
    ['led an epoch that others followed', lineage([3]), theirs, 'overtaken'],
    ['leads the newest epoch, which is its own', lineage([4]), own, 'leading'],
    ['claims that epoch for a namesake', lineage([4]), theirs, 'overtaken'],
    ['leads an epoch that the store does not know yet', lineage([5]), theirs, 'leading'],
    ['has written its claim', lineage([], { claim: { epoch: 4, of: null } }), own, 'leading'],
    ['never wrote its claim', lineage([], { claim: { epoch: 5, of: null } }), theirs, 'pristine'],
    ['is of another cluster', lineage([], { clusterId: 'x' }), theirs, 'foreign'],
    ['took writes, and nobody can be asked', lineage([3]), undefined, 'leading'],
  ])('that %s', (_, held, view, directory) => {
    expect(seen(held, view).directory).toBe(directory)
  })

  test('without a lease, what took writes stays until a later epoch begins', () => {
    const grew = lineage([0], { snapshotId: '0000000004-0000000001' })
    expect(seen(grew, theirs, false).directory).toBe('leading')
    expect(seen(grew, theirs, true).directory).toBe('overtaken')
    const later = viewOf(snapshot(5, 0, 'm1'), snapshot(4, 1, 'm1'))
    expect(seen(grew, later, false).directory).toBe('overtaken')
  })

  test('unmarked, it is our own only where nobody else ever published', () => {
    expect(seen(undefined, viewOf(snapshot(0, 2, 'me'))).directory).toBe('unmarked-own')
    expect(seen(undefined, viewOf(snapshot(1, 0, 'me', true))).directory).toBe('unmarked-own')
    expect(seen(undefined, own).directory).toBe('unmarked')
    expect(seen(undefined, viewOf(snapshot(0, 2, 'm1'))).directory).toBe('unmarked')
    expect(seen(undefined, viewOf()).directory).toBe('unmarked')
    expect(seen('damaged', own).directory).toBe('damaged')
  })

  test('the store, as far as a restore cares', () => {
    expect(seen(undefined, undefined).store).toBe('unreachable')
    expect(seen(undefined, viewOf()).store).toBe('never-initialised')
    expect(seen(undefined, viewOf(snapshot(1, 0, 'm1', true))).store).toBe('begun-empty')
    expect(seen(undefined, own).store).toBe('good')
    expect(seen(undefined, { ...own, tarballs: new Map() }).store).toBe('none-good')
  })

  test('a snapshot covers it only if it was made of it', () => {
    expect(seen(lineage([4]), own)).toMatchObject({ covered: true, version: 'older' })
    expect(seen(lineage([4]), viewOf(snapshot(4, 0, 'me'))).covered).toBe(false)
    expect(seen(lineage([4]), theirs).covered).toBe(false)
  })
})
