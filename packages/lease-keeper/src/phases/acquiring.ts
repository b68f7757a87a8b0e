import { backToStandby } from '../hold.ts'
import { beginPromotion } from '../promotion.ts'
import { acquire } from '../lease-requests.ts'
import { isMine } from '../records.ts'
import type { Phase } from '../state.ts'
import { setPhase, type Turn } from '../turn.ts'

type Acquiring = Extract<Phase, { name: 'acquiring' }>

/** The update is on its way; if its answer is lost, the record is read to know. */
export function acquiring(turn: Turn, phase: Acquiring): void {
  const { settings, rules, state, now } = turn
  const { lease } = state
  const hold = {
    epoch: phase.epoch,
    sentAt: rules.countedFrom(phase.sentAt, lease.answeredAt ?? now.boot),
  }
  if (!rules.stillHeld(hold, now.boot, settings.timing)) return backToStandby(turn)
  if (lease.inFlight || lease.stale) return
  if (!lease.seen || !isMine(turn, lease.seen.record, phase.epoch)) return backToStandby(turn)
  if (lease.writtenFrom !== phase.sentAt) {
    // The read shows this keeper's name, but an earlier attempt may have put it there, long before this
    // one was sent: others have counted since then. Only a write that is answered says since when.
    acquire(turn, phase.epoch)
    turn.state = { ...turn.state, phase: { ...phase, sentAt: now.boot } }
    return
  }
  const promotion = beginPromotion(turn, phase.epoch, phase.before)
  setPhase(turn, { name: 'promoting', since: now.boot, hold, promotion })
}
