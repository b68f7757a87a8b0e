import type { Event } from './event.ts'
import { servesAsPrimary } from './serves.ts'
import type { PodView } from './state.ts'
import type { Turn } from './turn.ts'

/** A lost label is said again with every tenth renewal: a late PATCH of a thawed keeper may have taken it. */
const ROUTE_AGAIN = 10

/** Sends the next request about pods, if one is due: one at a time, decided on the version last read. */
export function tendPod(turn: Turn): void {
  const { settings, state, now } = turn
  const { pod } = state
  if (settings.routing !== 'labels' || pod.inFlight || now.boot < pod.nextAt) return
  if (!pod.known) return ask(turn, 'read')
  if (!pod.stripped && mustStrip(turn)) return ask(turn, 'strip')
  const wanted = wantedLabels(turn)
  if (wanted.primary && isOthersDue(turn)) return ask(turn, 'others')
  if (wanted.primary !== pod.known.primary || wanted.reads !== pod.known.reads) ask(turn, 'label')
}

function mustStrip({ state }: Turn): boolean {
  return ['starting', 'draining', 'stopping'].includes(state.phase.name) && !isResuming(state.phase)
}

const isResuming = (phase: Turn['state']['phase']): boolean =>
  phase.name === 'starting' && phase.resume !== null

function wantedLabels({ settings, state, now }: Turn): { primary: boolean; reads: boolean } {
  const { phase, pod } = state
  if (isResuming(phase) && pod.known) return pod.known
  if (servesAsPrimary(settings, state, now.boot)) return { primary: true, reads: true }
  const standsBy = phase.name === 'standby' ? !phase.swap : phase.name === 'acquiring'
  const reads = (standsBy || phase.name === 'promoting') && state.permit?.permit.role === 'standby'
  // Unhealthy for a moment: the label stays until the term ends, restarts take less than routing does.
  return { primary: phase.name === 'primary' && pod.known?.primary === true, reads }
}

function isOthersDue({ state }: Turn): boolean {
  const renewals = state.lease.seen?.record.renewals ?? 0
  return state.pod.routedAt === null || renewals - state.pod.routedAt >= ROUTE_AGAIN
}

function ask(turn: Turn, kind: NonNullable<PodView['inFlight']>['kind']): void {
  const { state, now } = turn
  const { known } = state.pod
  const epoch = state.permit?.permit.epoch ?? state.lease.highest
  // Unlike the epoch alone this differs every time, so a strip never leaves the pod's version as it was.
  const mark = `${epoch}/${now.boot}`
  turn.state = { ...state, pod: { ...state.pod, inFlight: { kind, sentAt: now.boot } } }
  if (kind === 'read') turn.actions.push({ type: 'readPod' })
  if (kind === 'others') turn.actions.push({ type: 'stripOthers', mark })
  if (!known || kind === 'read' || kind === 'others') return
  const labels = kind === 'strip' ? { primary: false, reads: false } : wantedLabels(turn)
  turn.actions.push({ type: 'patchPod', version: known.version, ...labels, mark })
}

/** Takes in the answer to the request in flight. */
export function observePod(
  turn: Turn,
  event: Extract<Event, { type: 'podAnswered' | 'podFailed' | 'othersStripped' }>,
): void {
  const { state, now, settings } = turn
  const { pod } = state
  if (!pod.inFlight) return
  const idle: PodView = { ...pod, inFlight: null, nextAt: now.boot }
  // A conflict is looked into soon, as with the lease: every member's own statement changes its pod too.
  const part = 'conflict' in event && event.conflict ? 16 : 2
  const later = now.boot + Math.floor(settings.timing.renewEvery / part)
  if (event.type === 'podAnswered') {
    const stripped = pod.stripped || (pod.inFlight.kind === 'strip' && mustStrip(turn))
    turn.state = { ...state, pod: { ...idle, known: event.pod, stripped } }
  } else if (event.type === 'othersStripped' && event.ok) {
    const routedAt = state.lease.seen?.record.renewals ?? 0
    turn.state = { ...state, pod: { ...idle, known: null, routedAt } }
  } else {
    turn.state = { ...state, pod: { ...idle, known: null, nextAt: later } }
  }
}
