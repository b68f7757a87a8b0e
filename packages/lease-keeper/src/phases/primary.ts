import type { Sync } from '@meili-ha/core/ha/sync.ts'
import { lossMs } from '../candidacy.ts'
import { reportLoss, whyLost } from '../hold.ts'
import { advance } from '../promotion.ts'
import { isForMe } from '../records.ts'
import type { Before, Hold, Phase, Promotion } from '../state.ts'
import { guardIsFresh, report, setPhase, stop, writePrimary, type Turn } from '../turn.ts'
import { enterDraining } from './draining.ts'

type Primary = Extract<Phase, { name: 'primary' }>

/** So many restarts within `--unhealthy-after` are a crash loop; one is the guard's business. */
const CRASH_LOOP = 3

export function enterPrimary(turn: Turn, hold: Hold, promotion: Promotion): void {
  const { state, now } = turn
  const pod = { ...state.pod, stripped: false, routedAt: null }
  turn.state = { ...state, pod, health: null, restarts: [] }
  setPhase(turn, { name: 'primary', since: now.boot, hold, promotion })
  writePrimary(turn, hold)
  report(turn, 'promoted', {
    epoch: hold.epoch,
    claimed: promotion.step === 'done',
    snapshot: state.sync?.claim?.of ?? null,
    lastTaskUid: state.sync?.holds?.lastTaskUid ?? null,
    lossMs: lossOf(state.sync, promotion.before),
    durationMs: (now.boot - promotion.startedAt) * 10,
  })
}

/** Whose directory led the epoch before has all that was acknowledged, published or not. */
function lossOf(sync: Sync | null, before: Before): number | null {
  if (!sync) return null
  return sync.primaryIn.includes(before.recordEpoch) ? 0 : lossMs(sync, before.renewedAt)
}

/** Serves: extends the permit with every renewal, and ends the term for whatever ends it first. */
export function primary(turn: Turn, phase: Primary): void {
  const { state } = turn
  const { hold } = phase
  const lost = whyLost(turn, hold)
  if (lost) {
    reportLoss(turn, hold, lost)
    return stop(turn, hold.epoch, null)
  }
  if (state.terminated || state.drainAskedAt !== null) return enterDraining(turn, hold, null)
  const request = state.lease.seen?.record.request
  if (request?.verb === 'switchover' && !isForMe(turn, request.to)) {
    return enterDraining(turn, hold, request.to)
  }
  const unhealthy = whyUnhealthy(turn, phase)
  if (unhealthy) {
    report(turn, 'unhealthy', { epoch: hold.epoch, reason: unhealthy })
    return stop(turn, hold.epoch, hold)
  }
  // In an outage the claim is still owed: it is asked for until it is written.
  const promotion = advance(turn, phase.promotion)
  turn.state = { ...turn.state, phase: { ...phase, promotion } }
  if (state.permit?.from !== hold.sentAt && guardIsFresh(turn)) writePrimary(turn, hold)
}

function whyUnhealthy({ settings, state, now }: Turn, phase: Primary): string | null {
  const limit = settings.unhealthyAfter
  const recent = state.restarts.filter((at) => now.boot - at < limit)
  if (recent.length >= CRASH_LOOP) return 'Meilisearch crashes again and again'
  const since = state.health ? state.health.since : phase.since
  if (state.health?.healthy !== true && now.boot - since >= limit) return 'Meilisearch is unhealthy'
  return null
}
