import type { LeaseRecord } from './lease/lease.ts'
import { identityOf, isOwnUid } from './settings.ts'
import type { Hold } from './state.ts'
import type { Turn } from './turn.ts'

/** The highest epoch known anywhere: records seen, the store's newest, this directory's own past. */
export function highestEpoch({ state }: Turn): number {
  const { lease, sync } = state
  return Math.max(
    lease.highest,
    sync?.newestEpoch ?? 0,
    sync?.holds?.epoch ?? 0,
    sync?.claim?.epoch ?? 0,
    ...(sync?.primaryIn ?? []),
  )
}

/** This very run of this keeper holds the record, in this epoch. */
export function isMine(turn: Turn, record: LeaseRecord, epoch: number): boolean {
  return record.holder === identityOf(turn.settings) && record.epoch === epoch
}

/** This member holds it, perhaps by an earlier run of its keeper. */
export function isMembers(turn: Turn, record: LeaseRecord, epoch: number): boolean {
  return isOwnUid(record.holder, turn.settings) && record.epoch === epoch
}

function ownRecord(turn: Turn, epoch: number, last: LeaseRecord | null): LeaseRecord {
  const { settings, now } = turn
  return {
    holder: identityOf(settings),
    member: settings.member,
    epoch,
    renewals: (last?.renewals ?? 0) + 1,
    durationMs: settings.timing.takeover * 10,
    renewedAt: last?.renewedAt ?? now.wall,
    released: null,
    served: last?.served ?? false,
    paused: last?.paused ?? false,
    request: last?.request ?? null,
  }
}

/**
 * `renewedAt` moves only while a permit is given: it is what `--max-loss` is judged by, and a
 * candidate that failed to be promoted must not make the loss look larger or smaller.
 */
export function renewed(turn: Turn, hold: Hold, last: LeaseRecord | null): LeaseRecord {
  const record = ownRecord(turn, hold.epoch, last)
  if (turn.state.phase.name !== 'primary' && turn.state.phase.name !== 'starting') return record
  const request = record.request
  const answered = request !== null && (request.verb === 'promote' || isForMe(turn, request.to))
  return {
    ...record,
    renewedAt: turn.now.wall,
    served: true,
    // A primary can't be promoted; left alone, the request would move the lease long after it was made.
    request: answered ? null : request,
  }
}

export const isForMe = (turn: Turn, to: string | null): boolean => to === turn.settings.member

/** Takes the lease; whoever takes it has answered the request. */
export function taken(turn: Turn, epoch: number, last: LeaseRecord): LeaseRecord {
  return { ...ownRecord(turn, epoch, last), request: null }
}

/** A record for a cluster that has none: without holder, so that everyone waits for L, its maker too. */
export function announced(turn: Turn): LeaseRecord {
  const { settings, rules, state, now } = turn
  const { last } = state.lease
  const highest = highestEpoch(turn)
  const fresh = highest === 0 && state.sync?.uninitialised === true
  return {
    holder: null,
    member: null,
    epoch: fresh ? 0 : rules.epochAnew(highest),
    renewals: (last?.renewals ?? 0) + 1,
    durationMs: settings.timing.takeover * 10,
    renewedAt: last?.renewedAt ?? now.wall,
    released: null,
    served: last?.served ?? false,
    paused: last?.paused ?? false,
    request: null,
  }
}

/**
 * Gives the lease back with the marker of its epoch. After a drain it also asks for a successor:
 * nothing is lost, so neither `--failover manual` nor `--max-loss` has a reason to stop it.
 */
export function released(turn: Turn, hold: Hold, last: LeaseRecord): LeaseRecord {
  const { phase } = turn.state
  const record = { ...ownRecord(turn, hold.epoch, last), holder: null, released: hold.epoch }
  if (phase.name !== 'draining') return { ...record, request: null }
  const request = { id: `drain-${hold.epoch}`, verb: 'switchover' as const, to: phase.drain.to }
  return { ...record, request: record.paused && phase.drain.to === null ? null : request }
}
