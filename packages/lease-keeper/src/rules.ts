import { echoesStoppedPermit, type GuardBeat } from '@meili-ha/core/ha/guard-beat.ts'
import { formatPermit, type Permit } from '@meili-ha/core/ha/permit.ts'
import type { LeaseRecord, VersionedRecord } from './lease/lease.ts'
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
  /**
   * Whether nobody wrote between two reads. Holder and renewals would not do: a backup that is restored,
   * or a record that is emptied, twice, says twice the same, and somebody may have led in between. So a
   * person's request restarts the wait too. Nor would the version alone: numbered records begin anew where
   * they were removed, and an API server's versions come back with a restored backup.
   */
  isUnchanged(last: VersionedRecord, found: VersionedRecord): boolean
  /** Watched on the own boot clock from the answer that first showed it; `renewedAt` is never believed. */
  unchangedLongEnough(seen: { record: LeaseRecord; since: number }, now: Now, wait: number): boolean
  /**
   * A marker of an epoch that isn't the highest seen anywhere comes from a restored backup, and so may
   * any other: it counts for those who watched that very term while it was held.
   */
  markerCounts(record: LeaseRecord, highest: number, watched: number): boolean
  /** The epoch of a record made anew. */
  epochAnew(highest: number): number
  /** One more; but a record that fell behind what is known has lost terms, like one that was deleted. */
  nextEpoch(record: LeaseRecord, highest: number): number
  /** A later epoch anywhere, in a record or in the store, ends this one. */
  isSuperseded(hold: Hold, highest: number): boolean
  /** Nothing may be said about Meilisearch's death but what the guard echoes. */
  confirmedDead(
    beat: GuardBeat | null,
    permit: { permit: Permit; writtenAt: number } | null,
  ): boolean
  /** The own pod was changed by an answered PATCH since it could carry the label: no late one can land. */
  labelIsOff(state: KeeperState): boolean
  /**
   * In an outage only who led last may lead without a claim, judged by what was true *before*; and by what
   * is true now: a hand-over that was given up may have been settled, and then nothing says that it leads.
   */
  mayLeadUnclaimed(before: Before, primaryInNow: readonly number[]): boolean
  /** What to take off a time of this keeper's clock to have it in the guard's; never makes it later. */
  guardBehind(now: number, beat: GuardBeat): number
}

export const RULES: Rules = {
  countedFrom: (sentAt) => sentAt,
  stillHeld: (hold, now, timing) => now < hold.sentAt + timing.termAt,
  waitFor: (record, timing) => Math.max(timing.takeover, Math.ceil(record.durationMs / 10)),
  isUnchanged: (last, found) =>
    last.version === found.version &&
    last.record.holder === found.record.holder &&
    last.record.renewals === found.record.renewals,
  unchangedLongEnough: (seen, now, wait) => now.boot >= seen.since + wait,
  markerCounts: (record, highest, watched) =>
    record.holder === null &&
    record.released === record.epoch &&
    record.epoch >= highest &&
    record.epoch === watched,
  epochAnew: (highest) => highest + EPOCH_GAP,
  nextEpoch: (record, highest) =>
    record.epoch >= highest ? record.epoch + 1 : highest + EPOCH_GAP,
  isSuperseded: (hold, highest) => highest > hold.epoch,
  confirmedDead: (beat, permit) =>
    permit?.permit.role === 'stop' &&
    echoesStoppedPermit(beat ?? undefined, formatPermit(permit.permit), permit.writtenAt),
  labelIsOff: (state) => state.pod.stripped,
  mayLeadUnclaimed: ({ recordEpoch, primaryIn }, primaryInNow) =>
    recordEpoch > 0 && primaryIn.includes(recordEpoch) && primaryInNow.includes(recordEpoch),
  guardBehind: (now, beat) => Math.max(0, now - beat.now),
}
