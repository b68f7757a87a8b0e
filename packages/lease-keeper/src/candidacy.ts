import type { Sync } from '@meili-ha/core/ha/sync.ts'
import type { LeaseRecord } from './lease/lease.ts'
import { highestEpoch, isForMe } from './records.ts'
import { guardIsFresh, type Turn } from './turn.ts'

/** The usual case, in which nothing needs to be explained. */
export const LEASE_IS_HELD = 'the lease is held'

const WAITS_FOR_BOOTSTRAP = 'the cluster waits for its bootstrap member'

/** Why a standby doesn't try to take the lease now; null = it does. Every answer is a sentence's end. */
export function whyNotStanding(turn: Turn): string | null {
  const { settings, rules, state, now } = turn
  const { seen, inFlight, stale } = state.lease
  if (inFlight || stale) return 'a lease request is under way'
  if (!seen) return 'there is no lease record'
  if (!guardIsFresh(turn)) return 'the guard is silent'
  if (now.boot < state.standAfter && !isHandedOverSince(turn, seen.record)) {
    return 'it released the lease a moment ago'
  }
  const unfit = whyUnfit(turn)
  if (unfit) return unfit

  const { record } = seen
  const marker = rules.markerCounts(record, highestEpoch(turn), state.lease.watched)
  const wait = marker ? 0 : rules.waitFor(record, settings.timing)
  if (!marker && !rules.unchangedLongEnough(seen, now, wait)) return LEASE_IS_HELD
  const asked = isAsked(turn, record)
  if (asked === 'other' && !elapsed(turn, wait + settings.timing.takeover)) {
    return 'another member was asked for'
  }
  if (asked === 'me') return null
  // After a hand-over there is no old primary whose data would be fresher still.
  if (asked === 'any') return elapsedOrder(turn, wait, marker ? 1 : 0)
  if (mayPrecedeTheFirst(turn)) return WAITS_FOR_BOOTSTRAP
  if (record.paused) return 'failover is paused'
  if (settings.failover === 'manual' && record.epoch > 0) return 'failover is manual'
  if (!elapsed(turn, wait + settings.failoverDelay)) return 'the old primary may still return'
  return whyLossy(turn, record) ?? elapsedOrder(turn, wait + settings.failoverDelay)
}

/**
 * Another has led since, and hands over on purpose: writers wait for whoever can take it, and what this
 * member gave up its own term for is past.
 */
function isHandedOverSince({ state }: Turn, { epoch, released, request }: LeaseRecord): boolean {
  return epoch > state.releasedIn && released === epoch && request?.verb === 'switchover'
}

/** Whether this member could lead at all. */
function whyUnfit({ settings, state }: Turn): string | null {
  if (settings.standby === 'cold') return null
  const { sync } = state
  if (!sync) return 'the fetcher is silent'
  if (sync.writtenAt <= state.syncAfter) return 'its last promotion failed'
  if (sync.uninitialised && !state.lease.seen?.record.served) {
    return settings.bootstrap ? null : WAITS_FOR_BOOTSTRAP
  }
  return sync.ready ? null : (sync.reason ?? 'the fetcher is not ready')
}

/**
 * On the way up to a lease the member that has the data may still take writes without one, or be restarting:
 * a roll-out begins with the others. What it took since its last snapshot would be left behind.
 */
function mayPrecedeTheFirst({ settings, state }: Turn): boolean {
  return (
    settings.bootstrapIsOther &&
    settings.standby === 'warm' &&
    !state.lease.everServed &&
    rank(state.sync) > 0
  )
}

/** A person's request, or a drain's, overrides everything that only restrains an automatic failover. */
function isAsked(turn: Turn, record: LeaseRecord): 'me' | 'other' | 'any' | null {
  if (!record.request) return null
  if (record.request.to === null) return 'any'
  return isForMe(turn, record.request.to) ? 'me' : 'other'
}

function elapsed({ state, rules, now }: Turn, wait: number): boolean {
  return state.lease.seen !== null && rules.unchangedLongEnough(state.lease.seen, now, wait)
}

/** The freshest tries first: a step behind the `first` rank that there can be costs one renewal's time. */
function elapsedOrder(turn: Turn, wait: number, first = 0): string | null {
  const steps = Math.max(0, rank(turn.state.sync) - first)
  const order = steps * turn.settings.timing.renewEvery
  return order === 0 || elapsed(turn, wait + order) ? null : 'a fresher member may be there'
}

function rank(sync: Sync | null): number {
  if (!sync) return 0
  if (sync.newestEpoch !== null && sync.primaryIn.includes(sync.newestEpoch)) return 0
  return sync.holds !== null && sync.holds.id === sync.newest ? 1 : 2
}

/** `--max-loss`: both times are of the old primary's clock, so their difference needs no other. */
function whyLossy({ settings, state }: Turn, record: LeaseRecord): string | null {
  const { sync } = state
  if (settings.maxLossMs === null || !sync || sync.primaryIn.includes(record.epoch)) return null
  // A cluster that never began has nothing to lose.
  if (sync.uninitialised && !record.served) return null
  // A record that was emptied by hand says nothing about when the old primary last served.
  const loss = record.epoch > 0 ? lossMs(sync, record.renewedAt) : null
  if (loss === null) return 'the loss is not known'
  return loss > settings.maxLossMs ? `it would lose ${Math.round(loss / 1000)} s` : null
}

/** What a promotion loses, as the newest published snapshot shows it; null = not known. */
export function lossMs(sync: Sync, renewedAt: string | null): number | null {
  const started = sync.holds?.snapshotStartedAt ?? null
  if (started === null || renewedAt === null) return null
  const newest = Date.parse(started) + (sync.lagSeconds ?? 0) * 1000
  return Math.max(0, Date.parse(renewedAt) - newest)
}
