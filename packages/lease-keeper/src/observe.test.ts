import { describe, expect, test } from 'vitest'
import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import { decide } from './decide.ts'
import type { Event } from './event.ts'
import { settingsFor } from './settings-fixture.ts'
import { startingState, type KeeperState } from './state.ts'

const settings = settingsFor({ routing: 'http' })

const beat = (state: string, now: number): Event => ({
  type: 'guardSeen',
  beat: parseBeat(`${state} ${now} | standby 1 - - b00 | ready 1`),
})

function after(...events: Event[]): KeeperState {
  return afterIn(startingState(100, null, 0), events)
}

function afterIn(begin: KeeperState, events: Event[]): KeeperState {
  let now = 100
  let state = begin
  for (const event of events) {
    now += 10
    ;({ state } = decide(settings, state, event, { boot: now, wall: '2027-01-01T00:00:00Z' }))
  }
  return state
}

describe('the lease record', () => {
  const record = {
    ...{ holder: 'other/1', member: 'm1', epoch: 2, renewals: 9, durationMs: 15_000 },
    ...{ renewedAt: '2027-01-01T00:00:00Z', released: null, served: true, paused: false },
  }
  const request = { id: 'r', verb: 'switchover', to: null } as const

  /** When it is read again, in centiseconds after an answer that shows it `unchanged` for so long. */
  function readAgain(asked: typeof request | null, unchanged: number): number {
    const sentAt = 100
    const begin = afterIn(startingState(sentAt, null, 0), [])
    const found = { version: '7', record: { ...record, request: asked } }
    const inFlight = { purpose: 'read', sentAt, record: null } as const
    const seen = { ...found, since: 110 - unchanged }
    const lease = { ...begin.lease, stale: false, inFlight, seen, nextAt: 300 }
    const state = afterIn({ ...begin, lease }, [{ type: 'leaseAnswered', sentAt, found }])
    return state.lease.nextAt - 110
  }

  test('is read at the usual pace while nobody has asked for a hand-over', () => {
    expect(readAgain(null, 0)).toBe(190)
  })

  test('is looked at with each beat of the guard while a hand-over is under way: clients wait for it', () => {
    expect(readAgain(request, 0)).toBe(20)
  })

  test('is read at the usual pace where a hand-over finds nobody for longer than L', () => {
    expect(readAgain(request, 1600)).toBe(190)
  })
})

describe('the health of Meilisearch', () => {
  const healthy: Event = { type: 'healthSeen', healthy: true }

  test('is what its last check said while the same process runs', () => {
    const { health } = after(beat('running 7', 101), healthy, beat('running 7', 120))
    expect(health).toEqual({ healthy: true, since: 120 })
  })

  test('is not known of a process that was started since: routers are not sent to it', () => {
    const { health } = after(beat('running 7', 101), healthy, beat('running 8', 120))
    expect(health).toEqual({ healthy: false, since: 130 })
  })

  test('is bad when nothing runs, since when it was stopped, however long that is', () => {
    const stopped = [beat('stopped -', 120), beat('stopped -', 140), beat('running 8', 150)]
    const { health } = after(beat('running 7', 101), healthy, ...stopped)
    expect(health).toEqual({ healthy: false, since: 130 })
  })
})

describe('a beat that can not be read', () => {
  const unreadable: Event = { type: 'guardSeen', beat: undefined }
  const healthy: Event = { type: 'healthSeen', healthy: true }

  test('was caught half written: the last one counts on, and what is known of Meilisearch', () => {
    const { beat: last, health } = after(beat('running 7', 101), healthy, unreadable)
    expect(last).toMatchObject({ state: 'running', pid: 7, now: 101 })
    expect(health).toEqual({ healthy: true, since: 120 })
  })

  test('means that nobody is there once the last one is too old', () => {
    const late = Array.from({ length: 20 }, () => unreadable)
    const { beat: last, health } = after(beat('running 7', 101), healthy, ...late)
    expect(last).toBeNull()
    expect(health).toMatchObject({ healthy: false })
  })
})

describe('a health check that is not answered in time', () => {
  const healthy: Event = { type: 'healthSeen', healthy: true }
  const sick: Event = { type: 'healthSeen', healthy: false }
  const late: Event = { type: 'healthSeen', healthy: false, late: true }
  const healthOf = (...events: Event[]) => after(beat('running 7', 101), ...events).health

  test('is a busy machine while it is the only one: the route stays', () => {
    expect(healthOf(healthy, late)).toMatchObject({ healthy: true, since: 120 })
    expect(healthOf(healthy, late, healthy, late)).toMatchObject({ healthy: true, since: 120 })
  })

  test('is bad as the second in a row, since the first', () => {
    expect(healthOf(healthy, late, late)).toMatchObject({ healthy: false, since: 130 })
    expect(healthOf(healthy, late, late, late)).toMatchObject({ healthy: false, since: 130 })
  })

  test('does not count before one was good, nor for a refusal: that is bad at once', () => {
    expect(healthOf(late)).toMatchObject({ healthy: false, since: 120 })
    expect(healthOf(healthy, sick)).toMatchObject({ healthy: false, since: 130 })
    expect(healthOf(healthy, late, sick)).toMatchObject({ healthy: false, since: 130 })
  })
})

describe('a restart of Meilisearch', () => {
  const hold = { epoch: 2, sentAt: 100 }
  const before = { recordEpoch: 1, primaryIn: [], renewedAt: null }
  const times = { startedAt: 100, stepAt: 100, movedAt: 100, progress: 0 }
  const promotion = { epoch: 2, before, step: 'done', ...times } as const
  const primary: KeeperState = {
    ...startingState(100, null, 0),
    phase: { name: 'primary', since: 100, hold, promotion },
  }
  const leads = (state: string, now: number): Event => ({
    type: 'guardSeen',
    beat: parseBeat(`${state} ${now} | primary 2 1000 1300 b00 | ready 1`),
  })
  const sick: Event = { type: 'healthSeen', healthy: false }

  test('is counted whether or not it was seen stopped in between', () => {
    const events = [leads('running 7', 101), sick, leads('running 8', 120), leads('stopped -', 130)]
    expect(afterIn(primary, [...events, leads('running 9', 140)]).restarts).toEqual([130, 150])
  })

  test('is not its first start in a term', () => {
    const events = [leads('stopped -', 101), leads('running 7', 111), sick]
    expect(afterIn(primary, events).restarts).toEqual([])
  })
})
