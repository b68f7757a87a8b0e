import {
  isGood,
  snapshotsOf,
  type CatalogView,
  type Restorable,
} from '@meili-ha/core/catalog/catalog-view.ts'
import { chainOf } from '@meili-ha/core/catalog/chain.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'

/** Which snapshot a person asks for. */
export interface Choice {
  id?: string
  /** The newest of the chain that was begun no later. */
  at?: Date
}

/**
 * The very snapshot that was asked for, on the chain or off it: a person may.
 * @throws STORE_NOT_FOUND when there is none; SNAPSHOT_DAMAGED when its tarball is gone or short;
 * MANIFEST_* when it can't be read
 */
export function chooseSnapshot(view: CatalogView, { id, at }: Choice): Restorable {
  const links = new Set(chainOf(view).links.map((link) => link.id))
  const found =
    id === undefined
      ? snapshotsOf(view).find(
          (snapshot) =>
            links.has(snapshot.id) &&
            snapshot.manifest.object !== null &&
            begunAt(snapshot.manifest) <= (at as Date),
        )
      : view.entries.find((entry) => entry.id === id)
  if (!found) {
    const what = id === undefined ? `begun by ${at?.toISOString()}` : `named ${id}`
    throw new MeiliHaError('STORE_NOT_FOUND', `the store holds no snapshot ${what}`)
  }
  if (found.kind === 'unreadable') throw found.error
  if (isGood(view, found)) return found
  const why = found.manifest.object === null ? 'is empty' : 'has lost its tarball, or part of it'
  throw new MeiliHaError('SNAPSHOT_DAMAGED', `${found.id} ${why}`)
}

/** What a snapshot holds is what there was when its making began. */
export function begunAt({ tasks, createdAt }: Manifest): Date {
  return new Date(tasks.snapshotStartedAt ?? createdAt)
}
