import { snapshotsOf } from '@meili-ha/core/catalog/catalog-view.ts'
import { clusterIdOf } from '@meili-ha/core/catalog/cluster.ts'
import { parsePermit } from '@meili-ha/core/ha/permit.ts'
import type { Sync } from '@meili-ha/core/ha/sync.ts'
import type { Want } from '@meili-ha/core/ha/want.ts'
import type { Acknowledgement } from './acknowledgement.ts'
import type { FollowOptions } from './follow-options.ts'
import type { Member } from './member.ts'
import type { Preparation } from './preparation.ts'
import { whyNotReady } from './standing.ts'
import { heldBy, seenIn } from './sync-document.ts'
import type { Wants } from './wants.ts'

/** What the loop knows besides the directory and the store. */
export interface LoopState {
  decided: boolean
  waitingFor: string | null
  want: Want | undefined
  answer: Acknowledgement
}

/** All that is so now, as `sync.json` and `/status` say it. */
export async function describeSync(
  options: FollowOptions,
  member: Member,
  preparation: Preparation,
  wants: Wants,
  loop: LoopState,
): Promise<Sync> {
  const { clock, watch } = options
  const { lineage, view } = member
  const { situation, verdict } = member.weigh()
  const newest = member.candidates[0]
  const unwritten = wants.unwritten === undefined ? [] : [wants.unwritten]
  const primaryIn = lineage?.primaryIn ?? unwritten
  const reason = whyNotReady({
    ...situation,
    decided: loop.decided,
    waitingFor: loop.waitingFor,
    primaryIn,
    recordEpoch: await recordEpoch(options, loop.want),
    blockedBy: member.blockedBy,
    misfit: member.misfit() ?? (preparation.ready ? null : preparation.failure),
    foreignTask: watch.foreignTask,
    keyTrouble: watch.keyTrouble,
  })
  return {
    writtenAt: clock.now(),
    bootId: clock.bootId(),
    decided: loop.decided,
    clusterId: lineage?.clusterId ?? (view && clusterIdOf(view)) ?? null,
    ...heldBy(lineage, view, newest, situation.directory === 'leading'),
    ...seenIn(view, newest),
    primaryIn,
    claim: lineage?.claim ?? wants.claim,
    listedAt: member.listedAt,
    listsEvery: Math.round(options.pollMs / 10),
    uninitialised: isUninitialised(options, member),
    waitsForFirst: !loop.decided && verdict === 'wait-for-bootstrap',
    ready: reason === null,
    reason,
    asksSwap: loop.decided ? (preparation.ready?.id ?? null) : null,
    acknowledged: loop.answer.acknowledged,
    failed: loop.answer.failed,
    progress: preparation.progress,
  }
}

/** Nobody has published anything, or only this member, that it began: nothing could be lost. */
function isUninitialised(options: FollowOptions, member: Member): boolean {
  const { view, unreachable } = member
  if (!view || unreachable) return false
  const { store, directory } = member.weigh().situation
  if (store === 'never-initialised') return directory !== 'leading'
  const own = snapshotsOf(view).every(({ manifest }) => manifest.writer === options.member)
  return store === 'begun-empty' && own && (directory === 'absent' || directory === 'empty')
}

/** The epoch that the lease record bears, as far as the keeper has told. */
async function recordEpoch({ ha }: FollowOptions, want: Want | undefined): Promise<number | null> {
  if (want?.verb === 'follow') return want.epoch
  return parsePermit((await ha.readLine('permit')) ?? '')?.epoch ?? null
}
