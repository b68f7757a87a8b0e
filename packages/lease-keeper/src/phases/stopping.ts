import { whyNoStandby } from '../gate.ts'
import { whyLost, writeStandby } from '../hold.ts'
import { release } from '../lease-requests.ts'
import type { Hold, Phase } from '../state.ts'
import { answerDrain, report, setPhase, want, type Turn } from '../turn.ts'

type Stopping = Extract<Phase, { name: 'stopping' }>

/** Waits until Meilisearch is confirmed dead; only then releases, only then may it run as a standby. */
export function stopping(turn: Turn, phase: Stopping): void {
  const { state, now } = turn
  if (phase.hold) return releaseFirst(turn, phase, phase.hold)
  answerDrain(turn)
  if (state.terminated) return void turn.actions.push({ type: 'exit' })
  want(turn, { verb: 'follow', epoch: state.lease.highest })
  if (whyNoStandby(turn) !== null) return
  writeStandby(turn)
  setPhase(turn, { name: 'standby', since: now.boot, swap: null })
}

function releaseFirst(turn: Turn, phase: Stopping, hold: Hold): void {
  const { settings, rules, state, now } = turn
  const record = state.lease.seen?.record
  const done = record?.holder === null && record.released === hold.epoch
  if (done || settings.lease !== 'shared' || whyLost(turn, hold)) {
    if (done) report(turn, 'lease-released', { epoch: hold.epoch })
    const standAfter = now.boot + settings.timing.takeover
    const releasedIn = Number.POSITIVE_INFINITY
    turn.state = { ...turn.state, standAfter, releasedIn, phase: { ...phase, hold: null } }
    return
  }
  if (rules.confirmedDead(state.beat, state.permit)) release(turn, hold)
}
