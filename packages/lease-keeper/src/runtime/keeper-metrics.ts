import { Metrics } from '@meili-ha/core/telemetry/metrics.ts'
import { servesAsPrimary } from '../serves.ts'
import type { PhaseName } from '../state.ts'
import type { Keeper } from './keeper.ts'

const PHASES: PhaseName[] = [
  'starting',
  'standby',
  'acquiring',
  'promoting',
  'primary',
  'draining',
  'stopping',
]

/** What the lease-keeper exports. */
export function keeperMetrics() {
  const metrics = new Metrics('lease-keeper')
  const phase = metrics.gauge('phase', '1 for the phase this member is in', 'phase', PHASES)
  return {
    registry: metrics.registry,
    /** Sets the one phase to 1 and the others to 0. */
    setPhase(name: PhaseName): void {
      for (const each of PHASES) phase.set({ phase: each }, each === name ? 1 : 0)
    },
    primary: metrics.gauge('primary', '1 while this member serves as primary'),
    epoch: metrics.gauge('epoch', 'The highest epoch that the lease record has shown'),
    renewedAgo: metrics.gauge(
      'renewal_age_seconds',
      'Time since the sending of the last renewal that succeeded; 0 = no lease held',
    ),
    leaseSeconds: metrics.gauge('lease_duration_seconds', 'The --lease-duration of this member'),
    ready: metrics.gauge('ready_for_promotion', '1 while this member could be promoted'),
    promotions: metrics.counter('promotions_total', 'Promotions of this member', 'outcome', [
      'promoted',
      'failed',
    ]),
    promotionSeconds: metrics.gauge('promotion_duration_seconds', 'Time the last promotion took'),
    lossSeconds: metrics.gauge(
      'promotion_loss_seconds',
      'Writes lost by the last promotion, as time before the old primary was last known to serve; -1 = not known',
    ),
    losses: metrics.counter('leases_lost_total', 'Terms that ended without a hand-over'),
    drains: metrics.counter('handovers_total', 'Planned hand-overs', 'outcome', [
      'released',
      'failed',
    ]),
    unhealthy: metrics.counter(
      'stepped_down_unhealthy_total',
      'Terms ended for an unhealthy Meilisearch',
    ),
  }
}

export type KeeperMetrics = ReturnType<typeof keeperMetrics>

/** Sets what depends on the time; before metrics are read. */
export function refreshMetrics(metrics: KeeperMetrics, { settings, state, now }: Keeper): void {
  const hold = 'hold' in state.phase ? state.phase.hold : null
  metrics.primary.set(servesAsPrimary(settings, state, now.boot) ? 1 : 0)
  metrics.epoch.set(state.lease.highest)
  metrics.renewedAgo.set(hold ? (now.boot - hold.sentAt) / 100 : 0)
  metrics.ready.set(state.sync?.ready ? 1 : 0)
}
