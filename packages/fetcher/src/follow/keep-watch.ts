import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { FollowOptions } from './follow-options.ts'
import type { Member } from './member.ts'

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
  const unmarked = lineage.lastTaskUid === null
  // A primary that began empty may stay so for long; its mark tells nobody's tasks from its own.
  const hurries = unmarked && !(watch.isEmpty && lineage.primaryIn.length > 0)
  if (!polled && !hurries && watch.keyTrouble === null) return
  const beat = parseBeat((await ha.readLine('guard')) ?? '')
  if (beat?.state !== 'running' || (await gate.read())?.state !== 'ready') return
  const newest = await watch.look(lineage)
  if (unmarked && newest !== undefined) {
    await member.writeLineage({ ...lineage, lastTaskUid: newest })
  }
}
