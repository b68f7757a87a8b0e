import type { LeaseRecord } from './lease/lease.ts'
import { announced, released, renewed, taken } from './records.ts'
import type { Hold, Purpose } from './state.ts'
import { guardIsFresh, type Turn } from './turn.ts'

/** Sends the next request to the lease, if one is due. One at a time; never without its sending time. */
export function askLease(turn: Turn): void {
  const { settings, state, now } = turn
  const { lease, phase } = state
  if (settings.lease !== 'shared' || lease.inFlight || now.boot < lease.nextAt) return
  if (lease.stale) return read(turn)
  const hold = 'hold' in phase ? phase.hold : null
  if (hold) return keep(turn, hold)
  if (mayAnnounce(turn)) return create(turn, 'announce', announced(turn))
  read(turn)
}

/** Renews what is held. A frozen or dead guard gets no more time: renewing would hide it from the others. */
function keep(turn: Turn, hold: Hold): void {
  const { lease } = turn.state
  if (!guardIsFresh(turn) || !turn.rules.stillHeld(hold, turn.now.boot, turn.settings.timing)) {
    return read(turn)
  }
  if (lease.seen) return update(turn, 'renew', renewed(turn, hold, lease.seen.record))
  // Deleted: nobody else can have led since, so this term goes on.
  create(turn, 'renew', renewed(turn, hold, lease.last))
}

/**
 * A record that is gone is its holder's to make anew, for the time of two renewals. And without having
 * asked the store nobody knows how high the epochs have been.
 */
function mayAnnounce({ settings, state, now }: Turn): boolean {
  const { missingSince } = state.lease
  if (missingSince === null || now.boot < missingSince + 2 * settings.timing.renewEvery)
    return false
  const { sync } = state
  return settings.standby === 'cold' || sync?.decided === true || sync?.uninitialised === true
}

export function acquire(turn: Turn, epoch: number): void {
  const { seen } = turn.state.lease
  if (seen) update(turn, 'acquire', taken(turn, epoch, seen.record))
}

export function release(turn: Turn, hold: Hold): void {
  const { lease } = turn.state
  if (lease.inFlight || turn.now.boot < lease.nextAt) return
  if (lease.stale || !lease.seen) read(turn)
  else update(turn, 'release', released(turn, hold, lease.seen.record))
}

function read(turn: Turn): void {
  send(turn, 'read', null)
  turn.actions.push({ type: 'readLease', sentAt: turn.now.boot })
}

function create(turn: Turn, purpose: Purpose, record: LeaseRecord): void {
  send(turn, purpose, record)
  turn.actions.push({ type: 'createLease', sentAt: turn.now.boot, record })
}

export function update(turn: Turn, purpose: Purpose, record: LeaseRecord): void {
  const version = turn.state.lease.seen?.version
  if (version === undefined) return
  send(turn, purpose, record)
  turn.actions.push({ type: 'updateLease', sentAt: turn.now.boot, record, version })
}

function send(turn: Turn, purpose: Purpose, record: LeaseRecord | null): void {
  const { state, now, settings } = turn
  const inFlight = { purpose, sentAt: now.boot, record }
  const nextAt = now.boot + settings.timing.renewEvery
  turn.state = { ...state, lease: { ...state.lease, inFlight, nextAt } }
}
