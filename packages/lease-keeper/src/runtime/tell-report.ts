import type { Logger } from 'pino'
import type { ReportEvent } from '../action.ts'
import type { PhaseName } from '../state.ts'
import type { KeeperMetrics } from './keeper-metrics.ts'
import type { Report } from './report.ts'

/** How loud each event is, and what a person reads. */
const SAYS: Record<ReportEvent, { level: 'info' | 'warn' | 'error'; text: string }> = {
  phase: { level: 'info', text: 'phase' },
  'lease-lost': { level: 'error', text: 'the lease is lost; Meilisearch is stopped' },
  'lease-released': { level: 'info', text: 'the lease is released; Meilisearch is stopped' },
  'not-standing': { level: 'info', text: 'does not stand for the lease' },
  'lease-durations-differ': {
    level: 'warn',
    text: 'the holder runs with another --lease-duration; the longer one counts, give all the same',
  },
  'promotion-step': { level: 'info', text: 'promotion step done' },
  'promotion-failed': { level: 'error', text: 'the promotion failed; the lease is given back' },
  promoted: { level: 'info', text: 'promoted' },
  unclaimed: { level: 'warn', text: 'leads without a claim: it led before, and the store is away' },
  'drain-step': { level: 'info', text: 'hand-over step done' },
  'drain-failed': { level: 'error', text: 'the hand-over failed' },
  unhealthy: { level: 'error', text: 'steps down: Meilisearch is unhealthy' },
}

/** What becomes of the lease is what a person wants to know then. */
function drainFailed({ leadsAgain }: Report['fields']): (typeof SAYS)['drain-failed'] {
  const then = leadsAgain ? 'leads again under a new epoch' : 'the lease is left to expire'
  return { level: 'error', text: `${SAYS['drain-failed'].text}; ${then}` }
}

/** Makes log lines and metrics of what a decision reports. */
export function tellReport(log: Logger, metrics: KeeperMetrics, { event, fields }: Report): void {
  const { level, text } = event === 'drain-failed' ? drainFailed(fields) : SAYS[event]
  const more = event === 'phase' ? ` ${fields['from']} -> ${fields['to']}` : describe(fields)
  log[level]({ ...fields, event: `keeper.${event.replaceAll('-', '_')}` }, `${text}${more}`)
  count(metrics, event, fields)
}

function count(metrics: KeeperMetrics, event: ReportEvent, fields: Report['fields']): void {
  if (event === 'phase') metrics.setPhase(fields['to'] as PhaseName)
  if (event === 'promoted') {
    metrics.promotions.inc({ outcome: 'promoted' })
    metrics.promotionSeconds.set(Number(fields['durationMs']) / 1000)
    metrics.lossSeconds.set(fields['lossMs'] === null ? -1 : Number(fields['lossMs']) / 1000)
  }
  if (event === 'promotion-failed') metrics.promotions.inc({ outcome: 'failed' })
  if (event === 'lease-lost') metrics.losses.inc()
  if (event === 'lease-released') metrics.drains.inc({ outcome: 'released' })
  if (event === 'drain-failed') metrics.drains.inc({ outcome: 'failed' })
  if (event === 'unhealthy') metrics.unhealthy.inc()
}

function describe(fields: Report['fields']): string {
  const said = Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${value}`)
  return said.length > 0 ? `: ${said.join(', ')}` : ''
}
