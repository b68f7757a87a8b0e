import type { GuardBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { Event } from './event.ts'
import { observeLease } from './lease-view.ts'
import { observePod } from './pod-requests.ts'
import type { KeeperState } from './state.ts'
import { guardIsFresh, type Turn } from './turn.ts'

/** Takes one event into what is known; decides nothing but whether an answer came in time. */
export function observe(turn: Turn, event: Event): void {
  const { settings, state, now } = turn
  switch (event.type) {
    case 'tick':
      return
    case 'leaseAnswered':
    case 'leaseFailed':
      return observeLease(turn, event)
    case 'guardSeen':
      // The guard writes in place, and may be caught between emptying its file and filling it.
      if (!event.beat && guardIsFresh(turn)) return
      turn.state = withBeat(state, event.beat ?? null, now.boot)
      return
    case 'syncSeen': {
      const sync = event.sync?.bootId === settings.bootId ? event.sync : null
      turn.state = { ...state, sync }
      return
    }
    case 'publishedSeen': {
      const published = event.published?.bootId === settings.bootId ? event.published : null
      turn.state = { ...state, published }
      return
    }
    case 'healthSeen':
      turn.state = { ...state, health: withAnswer(state.health, event, now.boot) }
      return
    case 'podAnswered':
    case 'podFailed':
    case 'othersStripped':
      return observePod(turn, event)
    case 'drainAsked':
      turn.state = { ...state, drainAskedAt: event.askedAt }
      return
    case 'terminated':
      turn.state = { ...state, terminated: true }
  }
}

/**
 * One check that isn't answered in time says more of the machine than of Meilisearch, and would take
 * the only one who takes writes out of the routing. The second in a row counts, and from the first.
 */
function withAnswer(
  health: KeeperState['health'],
  { healthy, late }: Extract<Event, { type: 'healthSeen' }>,
  now: number,
): KeeperState['health'] {
  if (late && health?.healthy && health.lateAt === undefined) return { ...health, lateAt: now }
  if (health?.healthy === healthy) return { healthy, since: health.since }
  return { healthy, since: health?.lateAt ?? now }
}

/**
 * A new pid under the same primary permit is a restart after a crash, unless none was checked in this
 * term: then it is the term's first. And what the last process said of
 * its health is not true of the next, which may still be starting: routers would be sent to nobody.
 */
function withBeat(state: KeeperState, beat: GuardBeat | null, now: number): KeeperState {
  const last = state.beat
  const another = last !== null && last.pid !== (beat?.pid ?? null)
  const crashed =
    another &&
    state.phase.name === 'primary' &&
    state.health !== null &&
    beat?.state === 'running' &&
    last.permit?.role === 'primary'
  return {
    ...state,
    beat,
    restarts: crashed ? [...state.restarts.slice(-9), now] : state.restarts,
    health: another && state.health?.healthy ? { healthy: false, since: now } : state.health,
  }
}
