import type { Turn } from './turn.ts'

/**
 * Whether Meilisearch may run as a standby, asked from `starting` and `stopping`: the record can be
 * read, the fetcher has decided about the directory, the guard has confirmed the stop, and no router
 * can still find the primary's label on this pod. A reboot forgets `/ha`, not the label.
 */
export function whyNoStandby(turn: Turn): string | null {
  const { settings, rules, state } = turn
  const { lease, phase, sync } = state
  if (!rules.confirmedDead(state.beat, state.permit)) return 'Meilisearch is not confirmed stopped'
  if (settings.routing === 'labels' && !rules.labelIsOff(state)) return 'its label may still be on'
  if (settings.lease === 'shared' && (lease.answeredAt ?? -1) < phase.since) {
    return 'the lease record was not read'
  }
  if (settings.standby === 'warm' && !(sync?.decided || sync?.uninitialised)) {
    return 'the fetcher has not decided'
  }
  return null
}
