import { describe, expect, test } from 'vitest'
import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { Sync } from '@meili-ha/core/ha/sync.ts'
import { lossMs, whyNotStanding } from './candidacy.ts'
import type { LeaseRecord } from './lease/lease.ts'
import { RULES } from './rules.ts'
import type { Settings } from './settings.ts'
import { settingsFor } from './settings-fixture.ts'
import { startingState } from './state.ts'

const L = 1_500
const STEP = 200
const SEEN_AT = 5_000

interface Case {
  /** Centiseconds after the record was first seen so. */
  after?: number
  record?: Partial<LeaseRecord>
  sync?: Partial<Sync>
  settings?: Partial<Settings>
  standAfter?: number
  releasedIn?: number
  syncAfter?: number
  watched?: number
  everServed?: boolean
}

const FRESH = { primaryIn: [5], newestEpoch: 5, newest: '0000000005-0000000003' }
const HELD = {
  id: '0000000005-0000000003',
  epoch: 5,
  seq: 3,
  tarball: null,
  snapshotStartedAt: '2027-01-01T00:00:00Z',
  lastTaskUid: null,
}
const DRAINED: Partial<LeaseRecord> = {
  holder: null,
  released: 5,
  request: { id: 'drain-5', verb: 'switchover', to: null },
}

function why(given: Case): string | null {
  const now = SEEN_AT + (given.after ?? L)
  const settings = settingsFor(given.settings)
  const record: LeaseRecord = {
    holder: 'other/1',
    member: 'm1',
    epoch: 5,
    renewals: 9,
    durationMs: 15_000,
    renewedAt: '2027-01-01T00:00:30Z',
    released: null,
    served: true,
    paused: false,
    request: null,
    ...given.record,
  }
  const sync = {
    writtenAt: 4_000,
    bootId: 'b00',
    decided: true,
    clusterId: 'c',
    holds: HELD,
    claim: null,
    listedAt: 4_000,
    uninitialised: false,
    lagSeconds: 0,
    ready: true,
    reason: null,
    asksSwap: null,
    acknowledged: null,
    failed: null,
    progress: 0,
    ...FRESH,
    ...given.sync,
  }
  const state = startingState(0, null, 0)
  const seen = { record, version: '1', since: SEEN_AT }
  return whyNotStanding({
    settings,
    rules: RULES,
    now: { boot: now, wall: '2031-01-01T00:00:00Z' },
    actions: [],
    state: {
      ...state,
      sync,
      beat: parseBeat(`running 7 ${now - 10} | standby 5 - - b00 | ready -`) ?? null,
      standAfter: given.standAfter ?? 0,
      releasedIn: given.releasedIn ?? 0,
      syncAfter: given.syncAfter ?? 0,
      lease: {
        ...state.lease,
        seen,
        stale: false,
        highest: 5,
        watched: given.watched ?? 5,
        everServed: given.everServed ?? record.served,
      },
    },
  })
}

const BEHIND = { primaryIn: [], holds: { ...HELD, id: '0000000005-0000000002', seq: 2 } }
const LEVEL = { primaryIn: [] }
/** Step 1 to 3 went before: the store has snapshots, but no lease was ever served. */
const NEVER_LED: Case = {
  record: { holder: null, epoch: 1_005, served: false },
  sync: LEVEL,
  settings: { bootstrapIsOther: true },
}
const MANUAL: Partial<Settings> = { failover: 'manual' }
const promote = (to: string | null) => ({ request: { id: 'p', verb: 'promote' as const, to } })

describe('stands', () => {
  test.each<[string, Case]>([
    ['when the record was seen unchanged for L', {}],
    ['at once after a release that it watched', { after: 0, record: DRAINED }],
    ['when it is level, one step after the freshest', { after: L + STEP, sync: LEVEL }],
    ['when it is behind, two steps after', { after: L + 2 * STEP, sync: BEHIND }],
    [
      'right after a release of its own, when the next primary hands over',
      { after: 0, record: DRAINED, standAfter: SEEN_AT + L, releasedIn: 4 },
    ],
    ['after a drain, though failover is manual', { after: 0, record: DRAINED, settings: MANUAL }],
    ['when promoted, though failover is manual', { record: promote(null), settings: MANUAL }],
    ['when promoted by name, though it is paused', { record: { ...promote('m0'), paused: true } }],
    ['for another that was named, a further L later', { after: 2 * L, record: promote('m1') }],
    [
      'when the loss is within --max-loss',
      { after: L + STEP, sync: LEVEL, settings: { maxLossMs: 30_000 } },
    ],
    ['whatever --max-loss, when it led last itself', { settings: { maxLossMs: 1 } }],
    [
      'where nobody led yet, with the data of whoever published last',
      { ...NEVER_LED, sync: {}, after: L },
    ],
    [
      'where nobody led yet, when a person promotes it',
      { ...NEVER_LED, record: { ...NEVER_LED.record, ...promote('m0') } },
    ],
    [
      'where it saw somebody lead, though the record has forgotten it',
      { ...NEVER_LED, everServed: true, after: L + STEP },
    ],
    [
      'as bootstrap member of a new cluster',
      {
        record: { holder: null, epoch: 0, served: false },
        sync: { uninitialised: true, ready: false, primaryIn: [], newestEpoch: null, newest: null },
        // What was never begun can't lose anything.
        settings: { bootstrap: true, maxLossMs: 1 },
        after: L + 2 * STEP,
      },
    ],
  ])('%s', (_when, given) => {
    expect(why(given)).toBeNull()
  })
})

describe('does not stand', () => {
  test.each<[string, Case, string]>([
    ['before L', { after: L - 1 }, 'the lease is held'],
    ['before the recorded duration', { record: { durationMs: 60_000 } }, 'the lease is held'],
    [
      'level, with the freshest',
      { after: L + STEP - 1, sync: LEVEL },
      'a fresher member may be there',
    ],
    ['behind, with the level', { after: L + STEP, sync: BEHIND }, 'a fresher member may be there'],
    [
      'on a marker it did not watch',
      { after: 0, record: DRAINED, watched: 4 },
      'the lease is held',
    ],
    [
      'on the marker of an older epoch',
      { after: 0, record: { ...DRAINED, epoch: 4, released: 4 } },
      'the lease is held',
    ],
    ['when it isn’t ready', { sync: { ready: false, reason: 'no' } }, 'no'],
    [
      'right after a release of its own',
      { standAfter: SEEN_AT + L + 1 },
      'it released the lease a moment ago',
    ],
    [
      'right after a hand-over of its own',
      { after: 0, record: DRAINED, standAfter: SEEN_AT + L, releasedIn: 5 },
      'it released the lease a moment ago',
    ],
    [
      'right after a release of its own, when the next one only gave the lease back',
      {
        after: 0,
        record: { ...DRAINED, request: null },
        standAfter: SEEN_AT + L,
        releasedIn: 4,
      },
      'it released the lease a moment ago',
    ],
    ['before sync.json is written anew', { syncAfter: 4_000 }, 'its last promotion failed'],
    ['when paused', { record: { paused: true } }, 'failover is paused'],
    ['unasked when failover is manual', { settings: MANUAL }, 'failover is manual'],
    [
      'before --failover-delay',
      { settings: { failoverDelay: 1 } },
      'the old primary may still return',
    ],
    ['when another was asked for', { record: promote('m1') }, 'another member was asked for'],
    [
      'beyond --max-loss',
      { after: 2 * L, sync: LEVEL, settings: { maxLossMs: 29_999 } },
      'it would lose 30 s',
    ],
    [
      'with an unknown loss',
      {
        after: 2 * L,
        sync: { ...LEVEL, holds: { ...HELD, snapshotStartedAt: null } },
        settings: { maxLossMs: 1 },
      },
      'the loss is not known',
    ],
    [
      'with a record that was emptied by hand, whatever time it shows',
      {
        after: 2 * L,
        record: { holder: null, epoch: 0, renewedAt: '1970-01-01T00:00:00Z' },
        sync: LEVEL,
        settings: { maxLossMs: 1 },
      },
      'the loss is not known',
    ],
    [
      'where nobody led yet and another was named to begin, whose data may be fresher than its snapshots',
      { ...NEVER_LED, after: 9 * L },
      'the cluster waits for its bootstrap member',
    ],
    [
      'in a new cluster, unless it is the bootstrap member',
      { record: { holder: null, epoch: 0, served: false }, sync: { uninitialised: true } },
      'the cluster waits for its bootstrap member',
    ],
  ])('%s', (_when, given, reason) => {
    expect(why(given)).toBe(reason)
  })
})

test('the loss is measured between two times of the old primary, from the newest published', () => {
  const sync = { holds: HELD, lagSeconds: 10 } as unknown as Sync
  expect(lossMs(sync, '2027-01-01T00:00:30Z')).toBe(20_000)
  expect(lossMs(sync, '2026-12-31T23:00:00Z')).toBe(0)
  expect(lossMs(sync, null)).toBeNull()
})
