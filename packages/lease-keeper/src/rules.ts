import { echoesStoppedPermit, type GuardBeat } from '@meili-ha/core/ha/guard-beat.ts'
import { formatPermit, type Permit } from '@meili-ha/core/ha/permit.ts'
import type { LeaseRecord } from './lease/lease.ts'
import type { Before, Hold, KeeperState } from './state.ts'
import type { Now } from './event.ts'
import type { Timing } from './timing.ts'

/** Whoever makes a lost record anew skips so many epochs: terms that were never claimed are recorded nowhere else. */
export const EPOCH_GAP = 1_000

/**
 * The rules that safety rests on, each small enough to be read alone. They are passed in so that the
 * model tests can break one at a time and show that the suite notices; nothing else replaces them.
 */
export interface Rules {
  /** What a deadline counts from: the record may have been written any time after sending. */
  countedFrom(sentAt: number, answeredAt: number): number
  /** Until term-at; a success that arrives later is a loss. */
  stillHeld(hold: Hold, now: number, timing: Timing): boolean
  /** How long a record must be seen unchanged: an edited duration can only make it longer. */
  waitFor(record: LeaseRecord, timing: Timing): number
  /** Watched on the own boot clock from the answer that first showed it; `renewedAt` is never believed. */
  unchangedLongEnough(seen: { record: LeaseRecord; since: number }, now: Now, wait: number): boolean
  /** A marker of an epoch that isn't the highest seen anywhere comes from a restored backup. */
  markerCounts(record: LeaseRecord, highest: number): boolean
  nextEpoch(record: LeaseRecord, highest: number): number
  /** A record that was deleted: the holder alone, and only before its own term-at, names itself in it. */
  mayRecreate(hold: Hold | null, now: number, timing: Timing): boolean
  /** Nothing may be said about Meilisearch's death but what the guard echoes. */
  confirmedDead(
    beat: GuardBeat | null,
    permit: { permit: Permit; writtenAt: number } | null,
  ): boolean
  /** The own pod was changed by an answered PATCH since it could carry the label: no late one can land. */
  labelIsOff(state: KeeperState): boolean
  /** In an outage only who led last may lead without a claim, judged by what was true *before*. */
  mayLeadUnclaimed(before: Before, primaryInNow: readonly number[]): boolean
  /** What to take off a time of this keeper's clock to have it in the guard's; never makes it later. */
  guardBehind(now: number, beat: GuardBeat): number
}

export const RULES: Rules = {
  countedFrom: (sentAt) => sentAt,
  stillHeld: (hold, now, timing) => now < hold.sentAt + timing.termAt,
  waitFor: (record, timing) => Math.max(timing.takeover, Math.ceil(record.durationMs / 10)),
  unchangedLongEnough: (seen, now, wait) => now.boot >= seen.since + wait,
  markerCounts: (record, highest) =>
    record.holder === null && record.released === record.epoch && record.epoch >= highest,
  nextEpoch: (record, highest) =>
    record.epoch >= highest ? record.epoch + 1 : highest + EPOCH_GAP,
  mayRecreate: (hold, now, timing) => hold !== null && now < hold.sentAt + timing.termAt,
  confirmedDead: (beat, permit) =>
    permit?.permit.role === 'stop' &&
    echoesStoppedPermit(beat ?? undefined, formatPermit(permit.permit), permit.writtenAt),
  labelIsOff: (state) => state.pod.stripped,
  mayLeadUnclaimed: (before) =>
    before.recordEpoch > 0 && before.primaryIn.includes(before.recordEpoch),
  guardBehind: (now, beat) => Math.max(0, now - beat.now),
}
