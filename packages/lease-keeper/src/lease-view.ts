import type { Event } from './event.ts'
import type { VersionedRecord } from './lease/lease.ts'
import type { Rules } from './rules.ts'
import type { LeaseView } from './state.ts'
import { guardIsFresh, type Turn } from './turn.ts'

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
    watched: found.record.holder === null ? view.watched : found.record.epoch,
  }
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
  const writtenFrom = asked.purpose === 'read' ? view.writtenFrom : asked.sentAt
  const nextAt = soon ? now.boot : view.nextAt
  turn.state = { ...state, lease: { ...view, writtenFrom, nextAt } }
  if (asked.purpose !== 'renew' || !('hold' in phase) || !phase.hold) return
  // Late: the guard has stopped Meilisearch by now. The phase sees the hold expired.
  if (!rules.stillHeld(phase.hold, now.boot, settings.timing)) return
  const hold = { ...phase.hold, sentAt: rules.countedFrom(asked.sentAt, now.boot) }
  turn.state = { ...turn.state, phase: { ...phase, hold } }
}
