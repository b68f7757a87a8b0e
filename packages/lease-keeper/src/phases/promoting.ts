import { backToStandby, reportLoss, whyLost } from '../hold.ts'
import { release } from '../lease-requests.ts'
import { advance, trouble } from '../promotion.ts'
import type { Phase } from '../state.ts'
import { guardIsFresh, report, type Turn } from '../turn.ts'
import { enterPrimary } from './primary.ts'

type Promoting = Extract<Phase, { name: 'promoting' }>

/** The lease is held, but no permit is given before the claim is written. */
export function promoting(turn: Turn, phase: Promoting): void {
  const { rules, state, now } = turn
  const { hold } = phase
  const lost = whyLost(turn, hold)
  if (lost) {
    reportLoss(turn, hold, lost)
    return backToStandby(turn)
  }
  if (state.terminated) return giveBack(turn, phase, 'told to stop')
  const promotion = advance(turn, phase.promotion)
  turn.state = { ...turn.state, phase: { ...phase, promotion } }
  if (promotion.step === 'done') {
    if (guardIsFresh(turn)) enterPrimary(turn, hold, promotion)
    return
  }
  const failure = trouble(turn, promotion)
  if (!failure) return
  // Only a refusal: a fetcher that is silent may still be at work on the directory.
  const unclaimed = rules.mayLeadUnclaimed(promotion.before, state.sync?.primaryIn ?? [])
  if (failure.kind === 'refused' && unclaimed && guardIsFresh(turn)) {
    report(turn, 'unclaimed', { epoch: hold.epoch, reason: failure.message, at: now.boot })
    return enterPrimary(turn, hold, promotion)
  }
  giveBack(turn, phase, failure.message)
}

/** No permit was given in this epoch, so the marker is true without a guard's word. */
function giveBack(turn: Turn, phase: Promoting, reason: string): void {
  const { settings, state, now } = turn
  // The version to write under is known once the request under way is answered; the hold bounds the wait.
  if (settings.lease === 'shared' && (state.lease.inFlight || state.lease.stale)) return
  report(turn, 'promotion-failed', { epoch: phase.hold.epoch, reason })
  if (settings.lease === 'shared') {
    turn.state = { ...turn.state, lease: { ...state.lease, nextAt: now.boot } }
    release(turn, phase.hold)
  }
  // Two, not one: the others may have a reason not to believe the marker, and then they wait for L.
  const standAfter = now.boot + 2 * settings.timing.takeover
  const releasedIn = Number.POSITIVE_INFINITY
  turn.state = { ...turn.state, standAfter, releasedIn, syncAfter: now.boot }
  backToStandby(turn)
  if (state.terminated) turn.actions.push({ type: 'exit' })
}
