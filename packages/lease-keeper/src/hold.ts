import { highestEpoch, isMine } from './records.ts'
import type { Hold } from './state.ts'
import { report, setPhase, stop, want, writePermit, writeStop, type Turn } from './turn.ts'

/**
 * Why the lease is lost; null = it is held. A definite loss (the record names another, or nobody, or
 * another epoch) counts at once, a silent one at term-at.
 */
export function whyLost(turn: Turn, hold: Hold): string | null {
  const { settings, rules, state, now } = turn
  if (settings.lease !== 'shared') return null
  if (!rules.stillHeld(hold, now.boot, settings.timing)) return 'not renewed in time'
  const { seen } = state.lease
  if (seen && !isMine(turn, seen.record, hold.epoch)) {
    return seen.record.holder === null ? 'the record names nobody' : 'the record names another'
  }
  return rules.isSuperseded(hold, highestEpoch(turn)) ? 'a later epoch exists' : null
}

/** With fixed roles there is nobody to ask: the hold renews itself while the guard is alive. */
export function holdFixed(turn: Turn): void {
  const { settings, state, now } = turn
  const { phase } = state
  if (settings.lease !== 'fixed-primary' || !('hold' in phase) || !phase.hold) return
  if (now.boot - phase.hold.sentAt < settings.timing.renewEvery) return
  turn.state = { ...state, phase: { ...phase, hold: { ...phase.hold, sentAt: now.boot } } }
}

/** Ends what never became a term: Meilisearch still runs as a standby, unless it was stopped for a drain. */
export function backToStandby(turn: Turn): void {
  const { state, now } = turn
  want(turn, { verb: 'follow', epoch: state.lease.highest })
  if (state.permit?.permit.role === 'standby' || turn.settings.standby === 'cold') {
    setPhase(turn, { name: 'standby', since: now.boot, swap: null })
  } else {
    stop(turn, state.permit?.permit.epoch ?? state.lease.highest, null)
  }
}

/** A cold standby's Meilisearch never runs: two processes must not open one directory. */
export function writeStandby(turn: Turn): void {
  const { settings, state } = turn
  const epoch = state.lease.highest
  if (settings.standby === 'cold') return writeStop(turn, epoch)
  writePermit(turn, { role: 'standby', epoch, bootId: settings.bootId })
}

export function reportLoss(turn: Turn, hold: Hold, reason: string): void {
  report(turn, 'lease-lost', { epoch: hold.epoch, reason })
}
