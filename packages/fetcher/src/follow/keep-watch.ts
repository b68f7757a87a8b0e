import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { FollowOptions } from './follow-options.ts'
import type { Member } from './member.ts'
import type { MeilisearchWatch } from './watch-meilisearch.ts'

/**
 * Asks this member's Meilisearch, while it runs: for the mark soon after its first start on a
 * directory, for stray tasks and for the key at every poll.
 */
export async function keepWatch(
  { gate, ha, watch }: Pick<FollowOptions, 'gate' | 'ha' | 'watch'>,
  member: Pick<Member, 'lineage' | 'writeLineage'>,
  polled: boolean,
): Promise<void> {
  const { lineage } = member
  if (!lineage) return
  if (!polled && !hasQuestions(watch, lineage)) return
  const beat = parseBeat((await ha.readLine('guard')) ?? '')
  if (beat?.state !== 'running' || (await gate.read())?.state !== 'ready') return
  const newest = await watch.look(lineage)
  if (lineage.lastTaskUid === null && newest !== undefined) {
    await member.writeLineage({ ...lineage, lastTaskUid: newest })
  }
}

/** True while Meilisearch has yet to say what must be known of it: it is asked at every turn, polled or not. */
export function hasQuestions(
  watch: Pick<MeilisearchWatch, 'isEmpty' | 'keyTrouble'>,
  lineage: Lineage,
): boolean {
  if (watch.keyTrouble !== null) return true
  // A primary that began empty may stay so for long; its mark tells nobody's tasks from its own.
  return lineage.lastTaskUid === null && !(watch.isEmpty && lineage.primaryIn.length > 0)
}
