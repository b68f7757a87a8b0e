import {
  isLevelWith,
  newestEpoch,
  snapshotsOf,
  type CatalogView,
  type Restorable,
  type Snapshot,
} from '@meili-ha/core/catalog/catalog-view.ts'
import { parseId } from '@meili-ha/core/catalog/names.ts'
import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import type { Sync } from '@meili-ha/core/ha/sync.ts'
import { begunAt } from '../choose-snapshot.ts'

/** What a directory holds, measured against the newest good snapshot. */
export interface Held {
  holds: Sync['holds']
  lagSeconds: number | null
}

/**
 * @param view the last one that was read; undefined = never
 * @param newest the newest good snapshot of the chain
 * @param leading the directory is ahead of everything published
 */
export function heldBy(
  lineage: Lineage | undefined,
  view: CatalogView | undefined,
  newest: Restorable | undefined,
  leading: boolean,
): Held {
  const level = newest && isLevelWith(newest, lineage?.tarball ?? null)
  // The claim and what it claims are one tarball: told by the newer name, so that it shows as level.
  const id = level ? newest.id : lineage?.snapshotId
  const position = id ? parseId(id) : undefined
  if (!id || !position || !lineage) return { holds: null, lagSeconds: leading ? 0 : null }
  const found = view && snapshotsOf(view).find((snapshot) => snapshot.id === id)
  const tasks = found?.manifest.tasks
  return {
    holds: {
      id,
      ...position,
      tarball: lineage.tarball,
      snapshotStartedAt: found ? begunAt(found.manifest).toISOString() : null,
      lastTaskUid: tasks?.lastTaskUid ?? lineage.lastTaskUid,
      annotations: found?.manifest.annotations ?? null,
    },
    lagSeconds: level || leading ? 0 : lagBetween(found, newest),
  }
}

function lagBetween(held: Snapshot | undefined, newest: Restorable | undefined): number | null {
  if (!held || !newest) return null
  const ms = begunAt(newest.manifest).getTime() - begunAt(held.manifest).getTime()
  return Math.max(0, ms / 1000)
}

/** What the last LIST that succeeded showed. */
export function seenIn(
  view: CatalogView | undefined,
  newest: Restorable | undefined,
): Pick<Sync, 'newest' | 'newestEpoch'> {
  return { newest: newest?.id ?? null, newestEpoch: (view && newestEpoch(view)) ?? null }
}
