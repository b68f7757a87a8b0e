import { RULES } from '@meili-ha/lease-keeper/rules.ts'
import type { Rules } from '@meili-ha/lease-keeper/rules.ts'
import type { Slip, Variation } from './variation.ts'

const rule = (rules: Partial<Rules>): Variation => ({ rules, slips: new Set() })
const slip = (...slips: Slip[]): Variation => ({ rules: {}, slips: new Set(slips) })

/** One rule broken at a time. Each must make some history break a promise. */
export const MUTATIONS: Record<string, Variation> = {
  'the deadline counts from the response': rule({
    countedFrom: (_sentAt, answeredAt) => answeredAt,
  }),
  'a success after its deadline counts': rule({
    stillHeld: (hold, now, timing) => now < hold.sentAt + timing.termAt + 600,
    countedFrom: (sentAt, answeredAt) => (answeredAt > sentAt + 150 ? answeredAt : sentAt),
  }),
  'unchanged is judged by holder and renewals': rule({
    isUnchanged: (last, found) =>
      last.record.holder === found.record.holder && last.record.renewals === found.record.renewals,
  }),
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
  'any release marker is believed': rule({
    markerCounts: (record) => record.holder === null && record.released !== null,
  }),
  'a record without holder is free': rule({ markerCounts: (record) => record.holder === null }),
  'epochs start again with a record made anew': rule({
    epochAnew: () => 0,
    nextEpoch: (record) => record.epoch + 1,
  }),
  'no gap after a lost record': rule({
    epochAnew: (highest) => highest,
    nextEpoch: (record, highest) => Math.max(record.epoch, highest) + 1,
  }),
  'a marker counts for those who did not watch': rule({
    markerCounts: (record, highest) => RULES.markerCounts(record, highest, record.epoch),
  }),
  'released before Meilisearch is dead': rule({ confirmedDead: () => true }),
  'standby straight after primary': rule({ labelIsOff: () => true }),
  'the guard shares the keeper’s clock': rule({ guardBehind: () => 0 }),
  'anyone leads unclaimed in an outage': rule({ mayLeadUnclaimed: () => true }),
  'primaryIn judged after the promotion began': rule({
    mayLeadUnclaimed: (before, now) => now.length > 0 && before.recordEpoch > 0,
  }),
  'lineage written before the rename': slip('lineage before rename'),
  'primaryIn before the claim': slip('primaryIn before claim'),
  'claims what it holds though more was published': slip('claims what it holds'),
  'the newest is what arrived last': slip('newest by arrival'),
  'a strip may leave the version as it was': slip('strip leaves the version'),
  'labels without version': slip('label without version'),
  'publishes without a claim': slip('publishes without claim'),
  'the final snapshot of a running directory': {
    rules: { confirmedDead: () => true },
    slips: new Set<Slip>(['final of a running directory']),
  },
  'what diverged is replaced': slip('diverged is replaced'),
  'the guard acts when the deadline has passed': slip('guard waits for the deadline'),
}
