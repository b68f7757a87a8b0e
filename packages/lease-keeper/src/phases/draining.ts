import { acquire, release } from '../lease-requests.ts'
import { reportLoss, whyLost } from '../hold.ts'
import { progressOf, refusal } from '../promotion.ts'
import { highestEpoch } from '../records.ts'
import type { Drain, Hold, Phase } from '../state.ts'
import { answerDrain, report, setPhase, stop, want, writeStop, type Turn } from '../turn.ts'
import { beforeNow } from './standby.ts'

type Draining = Extract<Phase, { name: 'draining' }>

/**
 * SIGTERM reaches all containers of a pod within this (centiseconds). A guard that gets it before the
 * stop asks for a drain and stays, since uploader and renewals need its word; after it, it ends.
 */
const GUARD_ASKS_WITHIN = 200

/*
 * unroute -> stop -> final (uploader archives and publishes) -> settle (fetcher notes it) -> release
 */

export function enterDraining(turn: Turn, hold: Hold, to: string | null): void {
  const { boot } = turn.now
  const drain = {
    step: 'unroute',
    stepAt: boot,
    movedAt: boot,
    progress: progressOf(turn),
    to,
  } as const
  setPhase(turn, { name: 'draining', since: boot, hold, drain })
}

/** Hands over without losing a write: what is released is a stopped directory that was published whole. */
export function draining(turn: Turn, phase: Draining): void {
  const { hold, drain } = phase
  if (isReleased(turn, hold)) return finish(turn, hold, true)
  const lost = whyLost(turn, hold)
  if (lost) {
    reportLoss(turn, hold, lost)
    return finish(turn, hold, false)
  }
  const trouble = whyGiveUp(turn, phase)
  if (trouble) return giveUp(turn, phase, trouble)
  const next = nextStep(turn, phase)
  const progress = progressOf(turn)
  const { boot } = turn.now
  const moved = next !== drain.step || progress !== drain.progress
  const stepAt = next === drain.step ? drain.stepAt : boot
  const movedAt = moved ? boot : drain.movedAt
  turn.state = {
    ...turn.state,
    phase: { ...phase, drain: { ...drain, step: next, stepAt, movedAt, progress } },
  }
  if (next !== drain.step) {
    report(turn, 'drain-step', {
      epoch: hold.epoch,
      step: drain.step,
      durationMs: (boot - drain.stepAt) * 10,
    })
    begin(turn, next, hold)
  }
  if (next === 'release' && turn.settings.lease === 'shared') release(turn, hold)
}

function nextStep(turn: Turn, { hold, drain }: Draining): Drain['step'] {
  const { settings, rules, state, now } = turn
  switch (drain.step) {
    case 'unroute': {
      // A label that can't be taken off doesn't hold the stop up: stopping is what cuts connections.
      const off = settings.routing !== 'labels' || state.pod.stripped
      const asking = state.terminated && state.drainAskedAt === null
      if (asking && now.boot - drain.stepAt < GUARD_ASKS_WITHIN) return 'unroute'
      return off || now.boot - drain.stepAt >= settings.timing.requestTimeout ? 'stop' : 'unroute'
    }
    case 'stop':
      if (!rules.confirmedDead(state.beat, state.permit)) return 'stop'
      return settings.standby === 'cold' ? 'release' : 'final'
    case 'final':
      return state.published?.final?.epoch === hold.epoch ? 'settle' : 'final'
    case 'settle':
      return state.sync?.acknowledged === `final ${hold.epoch}` ? 'release' : 'settle'
    default:
      return 'release'
  }
}

function begin(turn: Turn, step: Drain['step'], hold: Hold): void {
  if (step === 'stop') writeStop(turn, hold.epoch)
  if (step === 'final') want(turn, { verb: 'final', epoch: hold.epoch })
  if (step === 'release') {
    turn.state = { ...turn.state, lease: { ...turn.state.lease, nextAt: turn.now.boot } }
  }
}

function isReleased({ settings, state }: Turn, hold: Hold): boolean {
  const { phase } = state
  if (settings.lease !== 'shared')
    return phase.name === 'draining' && phase.drain.step === 'release'
  const record = state.lease.seen?.record
  return record?.holder === null && record.released === hold.epoch && record.epoch === hold.epoch
}

function whyGiveUp(turn: Turn, { hold, drain, since }: Draining): string | null {
  const { settings, now } = turn
  if (drain.step === 'release') return null
  const refused = refusal(turn, { verb: 'final', epoch: hold.epoch })
  if (refused !== null) return refused
  if (now.boot - drain.movedAt >= settings.catchUpTimeout) return `no progress at ${drain.step}`
  const late = settings.drainLimit !== null && now.boot - since >= settings.drainLimit
  return late ? 'not done within its limit' : null
}

/** Leads again, under a new epoch; a member that must go leaves the lease to expire instead. */
function giveUp(turn: Turn, phase: Draining, reason: string): void {
  const { rules, settings, state, now } = turn
  const { hold, drain } = phase
  const { inFlight, stale, seen } = state.lease
  const leaving = state.terminated || state.drainAskedAt !== null
  const stopped = drain.step === 'final' || drain.step === 'settle'
  const again = !leaving && stopped && settings.lease === 'shared'
  // The answer to a renewal decides what the next write must name.
  if (again && (inFlight || stale || !seen)) return
  report(turn, 'drain-failed', { epoch: hold.epoch, reason, leadsAgain: again })
  if (!again || !seen) return finish(turn, hold, false)
  const epoch = rules.nextEpoch(seen.record, highestEpoch(turn))
  const before = beforeNow(turn)
  acquire(turn, epoch)
  setPhase(turn, { name: 'acquiring', since: now.boot, epoch, sentAt: now.boot, before })
}

function finish(turn: Turn, hold: Hold, released: boolean): void {
  const { settings, state, now } = turn
  if (released) {
    report(turn, 'lease-released', { epoch: hold.epoch })
    const standAfter = now.boot + settings.timing.takeover
    turn.state = { ...turn.state, standAfter, releasedIn: hold.epoch }
  }
  stop(turn, hold.epoch, null)
  answerDrain(turn)
  if (state.terminated) turn.actions.push({ type: 'exit' })
}
