import type { Event } from './event.ts'
import type { VersionedRecord } from './lease/lease.ts'
import type { Rules } from './rules.ts'
import type { LeaseView } from './state.ts'
import type { Timing } from './timing.ts'
import { guardIsFresh, type Turn } from './turn.ts'

/** How soon the record is read again during a hand-over (centiseconds): with each of the guard's beats. */
const LOOK = 20

/** Notes what an answer showed, and since when it has been so. */
export function observeRecord(
  view: LeaseView,
  found: VersionedRecord | undefined,
  now: number,
  rules: Rules,
): LeaseView {
  const answered = { ...view, answeredAt: now, stale: false, inFlight: null }
  if (!found) return { ...answered, seen: null, missingSince: view.missingSince ?? now }
  const unchanged = view.seen !== null && rules.isUnchanged(view.seen, found)
  return {
    ...answered,
    last: found.record,
    seen: { ...found, since: unchanged && view.seen ? view.seen.since : now },
    missingSince: null,
    highest: Math.max(view.highest, found.record.epoch),
    everServed: view.everServed || found.record.served,
    watched: found.record.holder === null ? view.watched : found.record.epoch,
  }
}

/**
 * Writers wait from the stop of the old primary until somebody sees its release: at the pace of renewals
 * that was the largest part of a hand-over. Not for ever, where nobody can be found to take it.
 */
function isHandingOver({ seen }: LeaseView, now: number, { takeover }: Timing): boolean {
  return seen?.record.request?.verb === 'switchover' && now < seen.since + takeover
}

/** A failure that may have taken effect: nothing is written before the record was read again. */
function afterFailure(view: LeaseView, now: number, wait: number): LeaseView {
  return { ...view, inFlight: null, stale: true, nextAt: now + wait }
}

/** Takes in the answer to the request in flight; an answer to any other request is ignored. */
export function observeLease(
  turn: Turn,
  event: Extract<Event, { type: 'leaseAnswered' | 'leaseFailed' }>,
): void {
  const { state, now, settings, rules } = turn
  const { lease, phase } = state
  const asked = lease.inFlight
  if (!asked || asked.sentAt !== event.sentAt) return
  if (event.type === 'leaseFailed') {
    // A conflict is looked into soon; anything else may be an outage, which haste doesn't end.
    const wait = Math.floor(settings.timing.renewEvery / (event.failure === 'conflict' ? 16 : 4))
    turn.state = { ...state, lease: afterFailure(lease, now.boot, wait) }
    return
  }
  const view = observeRecord(lease, event.found, now.boot, rules)
  // Read because something had gone wrong: the write that waits for it is due now.
  const soon = lease.stale && guardIsFresh(turn)
  const hasty = asked.purpose === 'read' && isHandingOver(view, now.boot, settings.timing)
  const writtenFrom = asked.purpose === 'read' ? view.writtenFrom : asked.sentAt
  const paced = hasty ? Math.min(view.nextAt, now.boot + LOOK) : view.nextAt
  const nextAt = soon ? now.boot : paced
  turn.state = { ...state, lease: { ...view, writtenFrom, nextAt } }
  if (asked.purpose !== 'renew' || !('hold' in phase) || !phase.hold) return
  // Late: the guard has stopped Meilisearch by now. The phase sees the hold expired.
  if (!rules.stillHeld(phase.hold, now.boot, settings.timing)) return
  const hold = { ...phase.hold, sentAt: rules.countedFrom(asked.sentAt, now.boot) }
  turn.state = { ...turn.state, phase: { ...phase, hold } }
}
