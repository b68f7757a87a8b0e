import { describe, expect, test } from 'vitest'
import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { Permit } from '@meili-ha/core/ha/permit.ts'
import { formatPermit } from '@meili-ha/core/ha/permit.ts'
import type { Published, Sync } from '@meili-ha/core/ha/sync.ts'
import { decide } from './decide.ts'
import type { Event, EventType } from './event.ts'
import type { LeaseRecord } from './lease/lease.ts'
import { identityOf, type Settings } from './settings.ts'
import { settingsFor } from './settings-fixture.ts'
import { startingState, type KeeperState, type Phase, type PhaseName } from './state.ts'

const NOW = 10_000
const BOOT = 'b00'

const settings = settingsFor({ bootId: BOOT })

const record = (holder: string | null): LeaseRecord => ({
  holder,
  member: 'm0',
  epoch: 5,
  renewals: 7,
  durationMs: 15_000,
  renewedAt: '2027-01-01T00:00:00Z',
  released: null,
  served: true,
  paused: false,
  request: null,
})

const sync: Sync = {
  writtenAt: NOW - 100,
  bootId: BOOT,
  decided: true,
  clusterId: 'c',
  holds: null,
  primaryIn: [4],
  claim: null,
  newestEpoch: 4,
  newest: '0000000004-0000000003',
  listedAt: NOW - 100,
  uninitialised: false,
  lagSeconds: 0,
  ready: true,
  reason: null,
  asksSwap: null,
  acknowledged: null,
  failed: null,
  progress: 0,
}

const published: Published = {
  writtenAt: NOW - 100,
  bootId: BOOT,
  newest: null,
  nextSeq: null,
  claimed: 5,
  final: null,
  failed: null,
  progress: 0,
  bytesPerSecond: null,
}

const hold = { epoch: 5, sentAt: NOW - 100 }
const before = { recordEpoch: 4, primaryIn: [4], renewedAt: null }
const promotion = {
  epoch: 5,
  before,
  step: 'lead',
  startedAt: NOW - 100,
  stepAt: NOW - 100,
  movedAt: NOW - 100,
  progress: 0,
} as const
const since = NOW - 100

/** Each phase where it usually is: nothing pending but what the phase itself waits for. */
const PHASES: { [Name in PhaseName]: Extract<Phase, { name: Name }> } = {
  starting: { name: 'starting', since, resume: null, renewedAt: null },
  standby: { name: 'standby', since, swap: null },
  acquiring: { name: 'acquiring', since, epoch: 5, sentAt: NOW - 10, before },
  promoting: { name: 'promoting', since, hold, promotion },
  primary: { name: 'primary', since, hold, promotion: { ...promotion, step: 'done' } },
  draining: {
    name: 'draining',
    since,
    hold,
    drain: { step: 'final', stepAt: since, movedAt: since, progress: 0, to: null },
  },
  stopping: { name: 'stopping', since, epoch: 5, hold: null },
}

const PERMITS: Record<PhaseName, Permit> = {
  starting: { role: 'stop', epoch: 5, bootId: BOOT },
  standby: { role: 'standby', epoch: 4, bootId: BOOT },
  acquiring: { role: 'standby', epoch: 4, bootId: BOOT },
  promoting: { role: 'standby', epoch: 4, bootId: BOOT },
  primary: { role: 'primary', epoch: 5, termAt: NOW + 800, killAt: NOW + 1100, bootId: BOOT },
  draining: { role: 'stop', epoch: 5, bootId: BOOT },
  stopping: { role: 'stop', epoch: 5, bootId: BOOT },
}

const beatOf = (permit: Permit) => {
  const state = permit.role === 'stop' ? 'stopped -' : 'running 42'
  return parseBeat(`${state} ${NOW - 5} | ${formatPermit(permit)} | ready -`)
}

function stateOf(name: PhaseName): KeeperState {
  const started = startingState(0, null, 4)
  const mine = ['promoting', 'primary', 'draining'].includes(name)
  const held = record(mine ? identityOf(settings) : 'uid-1/n1')
  const inFlight =
    name === 'acquiring'
      ? { purpose: 'acquire' as const, sentAt: NOW - 10, record: null }
      : { purpose: 'read' as const, sentAt: NOW - 10, record: null }
  const stripsNow = name === 'starting' || name === 'stopping'
  return {
    ...started,
    phase: PHASES[name],
    lease: {
      ...started.lease,
      seen: { record: held, version: '1', since },
      last: held,
      answeredAt: NOW - 50,
      highest: 5,
      watched: 5,
      everServed: true,
      inFlight,
      stale: false,
    },
    pod: {
      known: { version: '1', primary: name === 'primary', reads: true },
      inFlight: { kind: stripsNow ? 'strip' : 'label', sentAt: NOW - 10 },
      nextAt: 0,
      stripped: name !== 'primary' && !stripsNow,
      routedAt: 7,
    },
    beat: beatOf(PERMITS[name]) ?? null,
    sync,
    published,
    health: { healthy: true, since },
    permit: { permit: PERMITS[name], writtenAt: NOW - 200, from: hold.sentAt },
  }
}

/** Each event in the form that changes most. */
const EVENTS: { [Type in EventType]: (phase: PhaseName) => Extract<Event, { type: Type }> } = {
  tick: () => ({ type: 'tick' }),
  leaseAnswered: () => ({
    type: 'leaseAnswered',
    sentAt: NOW - 10,
    found: { record: { ...record('uid-2/n2'), epoch: 6 }, version: '2' },
  }),
  leaseFailed: () => ({ type: 'leaseFailed', sentAt: NOW - 10, failure: 'unknown' }),
  guardSeen: () => ({ type: 'guardSeen', beat: undefined }),
  syncSeen: () => ({ type: 'syncSeen', sync: { ...sync, acknowledged: 'lead 5' } }),
  publishedSeen: () => ({
    type: 'publishedSeen',
    published: { ...published, failed: { want: 'final 5', message: 'disk full' } },
  }),
  healthSeen: () => ({ type: 'healthSeen', healthy: false }),
  podAnswered: () => ({
    type: 'podAnswered',
    pod: { version: '2', primary: false, reads: false },
  }),
  podFailed: () => ({ type: 'podFailed' }),
  othersStripped: () => ({ type: 'othersStripped', ok: true }),
  drainAsked: () => ({ type: 'drainAsked', askedAt: NOW - 1 }),
  terminated: () => ({ type: 'terminated' }),
}

const stays = (name: PhaseName): Record<EventType, PhaseName> => ({
  tick: name,
  leaseAnswered: name,
  leaseFailed: name,
  guardSeen: name,
  syncSeen: name,
  publishedSeen: name,
  healthSeen: name,
  podAnswered: name,
  podFailed: name,
  othersStripped: name,
  drainAsked: name,
  terminated: name,
})

/** What comes next; the compiler refuses a gap. */
const TABLE: Record<PhaseName, Record<EventType, PhaseName>> = {
  starting: { ...stays('starting'), podAnswered: 'standby' },
  standby: stays('standby'),
  acquiring: { ...stays('acquiring'), leaseAnswered: 'standby' },
  promoting: { ...stays('promoting'), leaseAnswered: 'standby', syncSeen: 'primary' },
  primary: {
    ...stays('primary'),
    leaseAnswered: 'stopping',
    drainAsked: 'draining',
    terminated: 'draining',
  },
  draining: { ...stays('draining'), leaseAnswered: 'stopping' },
  stopping: { ...stays('stopping'), podAnswered: 'standby' },
}

/** The same when nothing was heard for longer than term-at. */
const LATER: Record<PhaseName, PhaseName> = {
  starting: 'starting',
  standby: 'standby',
  acquiring: 'standby',
  promoting: 'standby',
  primary: 'stopping',
  draining: 'stopping',
  stopping: 'stopping',
}

const nowAt = (boot: number) => ({ boot, wall: '2027-01-01T00:00:10Z' })
const names = Object.keys(PHASES) as PhaseName[]
const types = Object.keys(EVENTS) as EventType[]

describe('what comes next', () => {
  test.each(names.flatMap((name) => types.map((type) => [name, type] as const)))(
    '%s, on %s',
    (name, type) => {
      const { state } = decide(settings, stateOf(name), EVENTS[type](name), nowAt(NOW))
      expect(state.phase.name).toBe(TABLE[name][type])
    },
  )

  test.each(names)('%s, when nothing is heard beyond term-at', (name) => {
    const { state } = decide(settings, stateOf(name), { type: 'tick' }, nowAt(NOW + 1_000))
    expect(state.phase.name).toBe(LATER[name])
  })

  test.each(names)('a decision leaves the state that %s began with as it was', (name) => {
    for (const type of types) {
      const state = stateOf(name)
      const copy = structuredClone(state)
      decide(settings, state, EVENTS[type](name), nowAt(NOW))
      expect(state).toEqual(copy)
    }
  })
})

describe('what is done', () => {
  const actionsOf = (
    name: PhaseName,
    event: Event,
    boot = NOW,
    change: Partial<KeeperState> = {},
  ) => decide(settings, { ...stateOf(name), ...change }, event, nowAt(boot)).actions

  test('a definite loss stops Meilisearch in the same decision', () => {
    const actions = actionsOf('primary', EVENTS.leaseAnswered('primary'))
    expect(actions).toContainEqual({ type: 'writePermit', permit: PERMITS.stopping })
  })

  test('a success that comes after the deadline gives no permit', () => {
    const mine = { record: record(identityOf(settings)), version: '2' }
    const event: Event = { type: 'leaseAnswered', sentAt: NOW - 10, found: mine }
    const { lease } = stateOf('primary')
    const asked = { purpose: 'renew' as const, sentAt: NOW - 10, record: null }
    const late = actionsOf('primary', event, NOW + 801, { lease: { ...lease, inFlight: asked } })
    expect(late.filter(({ type }) => type === 'writePermit')).toEqual([
      { type: 'writePermit', permit: PERMITS.stopping },
    ])
  })

  test('permit times count from the sending, in the guard’s clock', () => {
    const mine = { record: record(identityOf(settings)), version: '2' }
    const event: Event = { type: 'leaseAnswered', sentAt: NOW - 10, found: mine }
    const { lease, beat } = stateOf('primary')
    const asked = { purpose: 'renew' as const, sentAt: NOW - 10, record: null }
    const actions = actionsOf('primary', event, NOW, {
      lease: { ...lease, inFlight: asked },
      beat: beat && { ...beat, now: NOW - 70 },
    })
    const termAt = NOW - 10 - 70 + 900
    expect(actions).toContainEqual({
      type: 'writePermit',
      permit: { role: 'primary', epoch: 5, termAt, killAt: termAt + 300, bootId: BOOT },
    })
  })

  test('a silent guard is not renewed for', () => {
    const { lease } = stateOf('primary')
    const idle = { ...lease, inFlight: null, nextAt: 0 }
    const actions = actionsOf('primary', { type: 'tick' }, NOW + 200, { lease: idle })
    expect(actions.map(({ type }) => type)).not.toContain('updateLease')
  })

  test('a read that shows the own name proves no term: an earlier attempt may have arrived late', () => {
    const mine = { record: record(identityOf(settings)), version: '2' }
    const { lease } = stateOf('acquiring')
    const asked = { purpose: 'read' as const, sentAt: NOW - 10, record: null }
    const { state, actions } = decide(
      settings,
      { ...stateOf('acquiring'), lease: { ...lease, inFlight: asked, stale: true } },
      { type: 'leaseAnswered', sentAt: NOW - 10, found: mine },
      nowAt(NOW),
    )
    expect(state.phase).toMatchObject({ name: 'acquiring', sentAt: NOW })
    expect(actions).toContainEqual(expect.objectContaining({ type: 'updateLease', sentAt: NOW }))
  })

  test('a version that comes back with another record is a change: numbers begin anew after a loss', () => {
    const { lease } = stateOf('standby')
    const unchangedSince = (holder: string) => {
      const found = { record: record(holder), version: '1' }
      const event: Event = { type: 'leaseAnswered', sentAt: NOW - 10, found }
      const { state } = decide(settings, { ...stateOf('standby'), lease }, event, nowAt(NOW))
      return state.lease.seen?.since
    }
    expect(unchangedSince('uid-1/n1')).toBe(NOW - 100)
    expect(unchangedSince('uid-2/n2')).toBe(NOW)
  })

  test('an echo from before the stop was written confirms nothing', () => {
    const phase = { name: 'stopping', since, epoch: 5, hold } as const
    const { lease, beat } = stateOf('draining')
    const idle = { ...lease, inFlight: null, nextAt: 0 }
    const releases = (now: number) =>
      actionsOf('stopping', { type: 'tick' }, NOW, {
        phase,
        lease: idle,
        beat: beat && { ...beat, now },
      }).some((action) => action.type === 'updateLease' && action.record.released === 5)
    expect(releases(NOW - 200)).toBe(false)
    expect(releases(NOW - 5)).toBe(true)
  })

  test('who settled its hand-over does not lead unclaimed: the directory no longer says that it led', () => {
    const asking = { ...promotion, step: 'promote' } as const
    const failed = { want: 'promote 5', message: 'the store does not answer' }
    const next = (primaryIn: number[]) => {
      const { lease } = stateOf('promoting')
      const state: KeeperState = {
        ...stateOf('promoting'),
        phase: { ...PHASES.promoting, promotion: asking },
        lease: { ...lease, inFlight: null },
      }
      const event: Event = { type: 'syncSeen', sync: { ...sync, primaryIn, failed } }
      return decide(settings, state, event, nowAt(NOW)).state.phase.name
    }
    expect(next([4])).toBe('primary')
    expect(next([])).toBe('standby')
  })

  test('whoever still holds what it led last has lost nothing, however old the newest snapshot is', () => {
    const holds = {
      id: '0000000003-0000000001',
      tarball: 'sha',
      snapshotStartedAt: '2026-12-31T23:50:00Z',
      lastTaskUid: 3,
    }
    const lost = (primaryIn: number[]) => {
      const renewed = { ...before, renewedAt: '2027-01-01T00:00:00Z' }
      const state: KeeperState = {
        ...stateOf('promoting'),
        phase: { ...PHASES.promoting, promotion: { ...promotion, before: renewed } },
      }
      const seen = { ...sync, holds, primaryIn, acknowledged: 'lead 5' } as Sync
      const { actions } = decide(settings, state, { type: 'syncSeen', sync: seen }, nowAt(NOW))
      const promoted = actions.find((one) => one.type === 'report' && one.event === 'promoted')
      return promoted?.type === 'report' && promoted.fields['lossMs']
    }
    expect(lost([4, 5])).toBe(0)
    expect(lost([5]), 'its directory was replaced').toBe(600_000)
  })

  test('with fixed roles an epoch that was handed over is not led again: its final snapshot is no later one', () => {
    const epochAfter = (final: Published['final']) => {
      const fixed: Settings = { ...settings, lease: 'fixed-primary', routing: 'http' }
      const state = { ...stateOf('standby'), published: { ...published, final } }
      const { lease } = state
      const idle = { ...state, lease: { ...lease, highest: 4, inFlight: null, seen: null } }
      const { phase } = decide(fixed, idle, { type: 'tick' }, nowAt(NOW)).state
      return phase.name === 'promoting' ? phase.hold.epoch : phase.name
    }
    expect(epochAfter(null)).toBe(4)
    const id = '0000000003-0000000009'
    expect(epochAfter({ epoch: 3, id, tarball: 'sha' })).toBe(4)
    expect(epochAfter({ epoch: 4, id: '0000000004-0000000009', tarball: 'sha' })).toBe(5)
  })

  test('a keeper that is told to stop while it takes its term up again hands it over first', () => {
    const primary = PERMITS.primary as Extract<Permit, { role: 'primary' }>
    const resuming: KeeperState = {
      ...stateOf('primary'),
      phase: { name: 'starting', since, resume: primary, renewedAt: NOW - 10 },
      permit: null,
      terminated: true,
    }
    const asked = { purpose: 'renew' as const, sentAt: NOW - 10, record: null }
    const event: Event = {
      type: 'leaseAnswered',
      sentAt: NOW - 10,
      found: { record: record(identityOf(settings)), version: '2' },
    }
    const waiting = { ...resuming, lease: { ...resuming.lease, inFlight: asked } }
    const { state, actions } = decide(settings, waiting, event, nowAt(NOW))
    expect(actions).not.toContainEqual({ type: 'exit' })
    expect(state.phase.name).toBe('primary')
    const next = decide(settings, state, { type: 'tick' }, nowAt(NOW))
    expect(next.state.phase.name).toBe('draining')
  })

  test('who is told to stop as a standby goes at once; as a primary it drains first', () => {
    expect(actionsOf('standby', { type: 'terminated' })).toContainEqual({ type: 'exit' })
    expect(actionsOf('primary', { type: 'terminated' })).not.toContainEqual({ type: 'exit' })
  })
})
