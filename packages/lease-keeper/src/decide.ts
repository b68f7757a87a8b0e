import type { Action } from './action.ts'
import type { Event, Now } from './event.ts'
import { holdFixed } from './hold.ts'
import { askLease } from './lease-requests.ts'
import { observe } from './observe.ts'
import { acquiring } from './phases/acquiring.ts'
import { draining } from './phases/draining.ts'
import { primary } from './phases/primary.ts'
import { promoting } from './phases/promoting.ts'
import { standby } from './phases/standby.ts'
import { starting } from './phases/starting.ts'
import { stopping } from './phases/stopping.ts'
import { tendPod } from './pod-requests.ts'
import { RULES, type Rules } from './rules.ts'
import type { Settings } from './settings.ts'
import type { KeeperState, Phase, PhaseName } from './state.ts'
import type { Turn } from './turn.ts'

const PHASES: {
  [Name in PhaseName]: (turn: Turn, phase: Extract<Phase, { name: Name }>) => void
} = { starting, standby, acquiring, promoting, primary, draining, stopping }

/**
 * What a keeper does next. Pure: takes in one event, lets the phase judge everything that is known
 * (so a lost or repeated event changes nothing that the next tick doesn't mend), then sends the
 * requests that are due.
 */
export function decide(
  settings: Settings,
  state: KeeperState,
  event: Event,
  now: Now,
  rules: Rules = RULES,
): { state: KeeperState; actions: Action[] } {
  const turn: Turn = { settings, rules, now, state, actions: [] }
  observe(turn, event)
  holdFixed(turn)
  const { phase } = turn.state
  PHASES[phase.name](turn, phase as never)
  askLease(turn)
  tendPod(turn)
  return { state: turn.state, actions: turn.actions }
}
