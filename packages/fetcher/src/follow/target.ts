import { isLevelWith, type Restorable } from '@meili-ha/core/catalog/catalog-view.ts'
import { comparePositions, parseId } from '@meili-ha/core/catalog/names.ts'
import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import type { Directory } from '../decide.ts'

/**
 * The snapshots that a standby would rather hold than what it holds, newest first. Never an older
 * one, unless what it holds has no future: the newest may be damaged, and is then waited for.
 */
export function worthFollowing(
  candidates: readonly Restorable[],
  directory: Directory,
  lineage: Lineage | undefined,
): readonly Restorable[] {
  if (directory === 'overtaken') return candidates
  if (directory !== 'pristine' || !lineage) return []
  const level = candidates.findIndex((one) => isLevelWith(one, lineage.tarball))
  if (level !== -1) return candidates.slice(0, level)
  const held = lineage.snapshotId === null ? undefined : parseId(lineage.snapshotId)
  return held ? candidates.filter((one) => comparePositions(one, held) > 0) : candidates
}
