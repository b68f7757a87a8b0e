import { describe, expect, test } from 'vitest'
import type { Restorable } from '@meili-ha/core/catalog/catalog-view.ts'
import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import { worthFollowing } from './target.ts'

const candidate = (epoch: number, seq: number, sha256: string) =>
  ({
    id: `000000000${epoch}-000000000${seq}`,
    epoch,
    seq,
    manifest: { object: { sha256 } },
  }) as Restorable
const holding = (snapshotId: string | null, tarball: string | null) =>
  ({ snapshotId, tarball }) as Lineage

const store = [candidate(2, 1, 'c'), candidate(2, 0, 'b'), candidate(1, 1, 'a')]

describe('what a standby would rather hold', () => {
  test('what is newer than what it is level with, whatever that is called', () => {
    const held = holding('0000000001-0000000002', 'b')
    expect(worthFollowing(store, 'pristine', held)).toEqual([store[0]])
  })

  test('nothing, when it is level with the newest', () => {
    expect(worthFollowing(store, 'pristine', holding('0000000002-0000000001', 'c'))).toEqual([])
  })

  test('never an older one, even where what it holds is gone from the store', () => {
    const held = holding('0000000002-0000000002', 'd')
    expect(worthFollowing(store, 'pristine', held)).toEqual([])
  })

  test('anything, when others have followed on what it led', () => {
    const held = holding('0000000002-0000000001', 'x')
    expect(worthFollowing(store, 'overtaken', held)).toEqual(store)
  })

  test.each(['leading', 'unmarked', 'damaged', 'foreign', 'partial'] as const)(
    'nothing, when it is %s',
    (directory) => {
      expect(worthFollowing(store, directory, holding(null, null))).toEqual([])
    },
  )
})
