import { RULES, type Rules } from '@meili-ha/lease-keeper/rules.ts'
import { EVEN, fault } from './fault-at.ts'
import type { Temptation } from './history.ts'
import type { Slip, Variation } from './variation.ts'

export interface Mutation {
  variation: Variation
  /** Where it shows soon; absent = in any histories. */
  temptation?: Temptation
}

const rule = (rules: Partial<Rules>, temptation?: Temptation): Mutation => ({
  variation: { rules, slips: new Set() },
  ...(temptation && { temptation }),
})
const slip = (one: Slip, temptation?: Temptation, rules: Partial<Rules> = {}): Mutation => ({
  variation: { rules, slips: new Set([one]) },
  ...(temptation && { temptation }),
})

/** A primary whose answers are slow is cut off. */
const CUT_OFF: Temptation = {
  kinds: ['partition from lease', 'slow answers', 'slow answers', 'freeze keeper'],
  members: [
    { rate: 0.9, guardOffset: -100 },
    { rate: 1.08, guardOffset: -100 },
  ],
  cold: true,
}
/** Keepers that begin just when an old release is put back over a term that is held. */
const OLD_MARKER: Temptation = {
  kinds: ['restore record'],
  members: EVEN,
  cold: true,
  plot: [
    fault(5, 'switchover', 0),
    fault(20.2, 'restore record', 0),
    fault(20.5, 'kill keeper', 0),
    fault(20.5, 'kill keeper', 1),
  ],
}
/** What the old primary published arrives after the next has listed, and the next can't claim. */
const LATE_SNAPSHOT: Temptation = {
  kinds: ['wall clock'],
  members: EVEN,
  weather: { late: 0.3 },
  cold: false,
  plot: [fault(20, 'partition from lease', 0, 90), fault(34, 'freeze uploader', 1, 30)],
}
const LATE_LABEL: Temptation = {
  kinds: ['pods outage', 'partition from lease', 'terminate keeper', 'empty record', 'kill keeper'],
  weather: { late: 0.3, lost: 0.1, answerLost: 0.3 },
}
const BY_HAND: Temptation = {
  kinds: ['empty record', 'restore record', 'switchover', 'freeze keeper', 'kill keeper'],
  members: EVEN,
  cold: true,
}
/** m0 leads again in an outage, unclaimed and unseen; then it dies, and the record with it. */
const FORGOTTEN_TERM: Temptation = {
  kinds: ['wall clock'],
  members: EVEN,
  cold: false,
  plot: [
    fault(20, 'partition from lease', 1, 38),
    fault(22, 'store outage', 0, 30),
    fault(23, 'partition from lease', 0, 12),
    fault(50, 'reboot', 0, 20),
    fault(54, 'delete record', 0),
  ],
}

/** One rule broken at a time. Each must make some history break a promise. */
export const MUTATIONS: Record<string, Mutation> = {
  'the deadline counts from the response': rule(
    {
      countedFrom: (_sentAt, answeredAt) => answeredAt,
    },
    CUT_OFF,
  ),
  'a success after its deadline counts': rule(
    {
      stillHeld: (hold, now, timing) => now < hold.sentAt + timing.termAt + 600,
      countedFrom: (sentAt, answeredAt) => (answeredAt > sentAt + 150 ? answeredAt : sentAt),
    },
    CUT_OFF,
  ),
  'unchanged is judged by holder and renewals': rule(
    {
      isUnchanged: (last, found) =>
        last.record.holder === found.record.holder &&
        last.record.renewals === found.record.renewals,
    },
    BY_HAND,
  ),
  'renewedAt is trusted': rule({
    unchangedLongEnough: ({ record }, now, wait) =>
      Date.parse(now.wall) >= Date.parse(record.renewedAt) + wait * 10,
  }),
  'the recorded duration is believed': rule({ waitFor: (record) => record.durationMs / 10 }),
  'a deleted record is taken at once': rule({
    unchangedLongEnough: (seen, now, wait) =>
      (seen.record.holder === null && seen.record.member === null) ||
      RULES.unchangedLongEnough(seen, now, wait),
  }),
  'any release marker is believed': rule(
    {
      markerCounts: (record) => record.holder === null && record.released !== null,
    },
    OLD_MARKER,
  ),
  'a record without holder is free': rule({ markerCounts: (record) => record.holder === null }),
  'epochs start again with a record made anew': rule({
    epochAnew: () => 0,
    isSuperseded: () => false,
    nextEpoch: (record) => record.epoch + 1,
  }),
  'no gap after a lost record': rule(
    {
      epochAnew: (highest) => highest,
      nextEpoch: (record, highest) => Math.max(record.epoch, highest) + 1,
    },
    FORGOTTEN_TERM,
  ),
  'a marker counts for those who did not watch': rule(
    {
      markerCounts: (record, highest) => RULES.markerCounts(record, highest, record.epoch),
    },
    OLD_MARKER,
  ),
  'released before Meilisearch is dead': rule({ confirmedDead: () => true }),
  'standby straight after primary': rule({ labelIsOff: () => true }),
  'the guard shares the keeper’s clock': rule({ guardBehind: () => 0 }, CUT_OFF),
  'anyone leads unclaimed in an outage': rule({ mayLeadUnclaimed: () => true }),
  'lineage written before the rename': slip('lineage before rename'),
  'primaryIn before the claim': slip('primaryIn before claim', LATE_SNAPSHOT),
  'claims what it holds though more was published': slip('claims what it holds'),
  'the newest is what arrived last': slip('newest by arrival'),
  'a strip may leave the version as it was': slip('strip leaves the version', LATE_LABEL),
  'labels without version': slip('label without version'),
  'publishes without a claim': slip('publishes without claim', FORGOTTEN_TERM),
  'the final snapshot of a running directory': slip('final of a running directory', undefined, {
    confirmedDead: () => true,
  }),
  'what diverged is replaced': slip('diverged is replaced'),
  'the guard acts when the deadline has passed': slip('guard waits for the deadline'),
}
