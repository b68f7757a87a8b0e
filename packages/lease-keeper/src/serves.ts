import type { Settings } from './settings.ts'
import type { KeeperState } from './state.ts'

/**
 * Whether clients may be sent here to write: what `/primary` answers and what the label says. Not before
 * the guard has echoed the permit: until then the Meilisearch that answers runs as a standby.
 */
export function servesAsPrimary(settings: Settings, state: KeeperState, now: number): boolean {
  const { phase, beat, health } = state
  if (phase.name !== 'primary' || health?.healthy !== true) return false
  if (settings.lease === 'shared' && now >= phase.hold.sentAt + settings.timing.termAt) return false
  const { epoch } = phase.hold
  return beat?.state === 'running' && beat.permit?.role === 'primary' && beat.permit.epoch === epoch
}

/** Whether this member may answer reads as a standby: what `/replica` answers. */
export function servesAsStandby(state: KeeperState): boolean {
  const { phase, permit, health } = state
  if (permit?.permit.role !== 'standby' || health?.healthy !== true) return false
  return phase.name === 'standby' ? phase.swap === null : phase.name !== 'primary'
}
