import type { Permit } from '@meili-ha/core/ha/permit.ts'
import { formatWant, type Want } from '@meili-ha/core/ha/want.ts'
import type { Action, ReportEvent, ReportFields } from './action.ts'
import type { Now } from './event.ts'
import type { Rules } from './rules.ts'
import type { Settings } from './settings.ts'
import type { Hold, KeeperState, Phase } from './state.ts'

/**
 * One decision in the making. `state` is replaced, never changed in place, so the state that the
 * decision began with stays what it was.
 */
export interface Turn {
  readonly settings: Settings
  readonly rules: Rules
  readonly now: Now
  state: KeeperState
  readonly actions: Action[]
}

/** Fresh enough, and close enough to the own clock, to trust the guard with a permit. */
export function guardIsFresh({ settings, now, state }: Turn): boolean {
  return state.beat !== null && Math.abs(now.boot - state.beat.now) <= settings.timing.beatLimit
}

export function setPhase(turn: Turn, phase: Phase): void {
  const before = turn.state.phase
  turn.state = { ...turn.state, phase }
  report(turn, 'phase', {
    from: before.name,
    to: phase.name,
    durationMs: (turn.now.boot - before.since) * 10,
  })
}

export function report(turn: Turn, event: ReportEvent, fields: ReportFields): void {
  turn.actions.push({ type: 'report', event, fields })
}

export function want(turn: Turn, wanted: Want): void {
  if (turn.settings.standby === 'cold') return
  if (turn.state.want && formatWant(turn.state.want) === formatWant(wanted)) return
  turn.state = { ...turn.state, want: wanted }
  turn.actions.push({ type: 'writeWant', want: wanted })
}

export function writePermit(turn: Turn, permit: Permit, from: number | null = null): void {
  const { beat } = turn.state
  // In the guard's clock, since it is compared with the guard's beats.
  const writtenAt = beat ? beat.now : turn.now.boot
  turn.state = { ...turn.state, permit: { permit, writtenAt, from } }
  turn.actions.push({ type: 'writePermit', permit })
}

/** Meilisearch may not run; with the record's epoch, or the epoch that ends. */
export function writeStop(turn: Turn, epoch: number): void {
  writePermit(turn, { role: 'stop', epoch, bootId: turn.settings.bootId })
}

/** The permit that a hold is worth, in the guard's clock. The caller has checked that the guard is fresh. */
export function writePrimary(turn: Turn, hold: Hold): void {
  const { settings, rules, now, state } = turn
  if (!state.beat) return
  const base = hold.sentAt - rules.guardBehind(now.boot, state.beat)
  const termAt = Math.max(0, base + settings.timing.termAt)
  const killAt = Math.max(0, base + settings.timing.killAt)
  const { bootId } = settings
  writePermit(turn, { role: 'primary', epoch: hold.epoch, termAt, killAt, bootId }, hold.sentAt)
}

/** Where there is nothing to drain the guard needn't wait. */
export function answerDrain(turn: Turn): void {
  const askedAt = turn.state.drainAskedAt
  if (askedAt === null) return
  turn.state = { ...turn.state, drainAskedAt: null }
  turn.actions.push({ type: 'writeDrained', askedAt })
}

/** Ends this member's term: Meilisearch stops now; `hold` is released once that is confirmed. */
export function stop(turn: Turn, epoch: number, hold: Hold | null): void {
  writeStop(turn, epoch)
  setPhase(turn, { name: 'stopping', since: turn.now.boot, epoch, hold })
  want(turn, { verb: 'follow', epoch: turn.state.lease.highest })
}
