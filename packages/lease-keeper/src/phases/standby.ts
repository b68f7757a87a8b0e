import { formatWant } from '@meili-ha/core/ha/want.ts'
import { whyNotStanding } from '../candidacy.ts'
import { acquire } from '../lease-requests.ts'
import { beginPromotion } from '../promotion.ts'
import { highestEpoch } from '../records.ts'
import type { Before, Phase } from '../state.ts'
import { answerDrain, guardIsFresh, setPhase, want, type Turn } from '../turn.ts'

type Standby = Extract<Phase, { name: 'standby' }>

/** Routers need a moment to notice that a member is out of the read routing (centiseconds). */
const UNROUTE_FIRST = 200

/** Follows; swaps when the fetcher asks; takes the lease when it is free and this member is fit. */
export function standby(turn: Turn, phase: Standby): void {
  const { settings, state } = turn
  if (state.terminated) return void turn.actions.push({ type: 'exit' })
  answerDrain(turn)
  if (settings.lease !== 'shared') return fixed(turn, phase)
  // A swap that was told is seen through: the fetcher can't become level with two things at once. One
  // that still waits for the routers is left to the promotion, which becomes level without them.
  if (phase.swap?.told || whyNotStanding(turn) !== null) return follow(turn, phase)
  take(turn)
}

function take(turn: Turn): void {
  const { state, now, rules } = turn
  const { seen } = state.lease
  if (!seen) return
  const epoch = rules.nextEpoch(seen.record, highestEpoch(turn))
  acquire(turn, epoch)
  const before = beforeNow(turn)
  setPhase(turn, { name: 'acquiring', since: now.boot, epoch, sentAt: now.boot, before })
}

/** What is true before the lease is taken. A primaryIn that the coming promotion adds must not count. */
export function beforeNow({ state }: Turn): Before {
  const record = state.lease.seen?.record
  return {
    recordEpoch: record?.epoch ?? 0,
    primaryIn: state.sync?.primaryIn ?? [],
    renewedAt: record && record.epoch > 0 ? record.renewedAt : null,
  }
}

/** One swap at a time: out of the read routing, then told, then back in. */
function follow(turn: Turn, phase: Standby): void {
  const { state, now } = turn
  const asks = state.sync?.asksSwap ?? null
  const { swap } = phase
  const keep = (next: Standby['swap']) => {
    turn.state = { ...turn.state, phase: { ...phase, swap: next } }
  }
  if (!swap) {
    want(turn, { verb: 'follow', epoch: state.lease.highest })
    if (asks !== null) keep({ id: asks, since: now.boot, told: false })
    return
  }
  // Snapshots that come faster than routers notice must not begin the wait anew each time.
  if (asks !== null && asks !== swap.id && !swap.told) return keep({ ...swap, id: asks })
  const done =
    asks !== swap.id || state.sync?.failed?.want === formatWant({ verb: 'swap', id: swap.id })
  if (done) return keep(null)
  if (swap.told || now.boot - swap.since < UNROUTE_FIRST) return
  want(turn, { verb: 'swap', id: swap.id })
  keep({ ...swap, told: true })
}

/** `--lease none`: the primary's epoch is the newest claim's if that is its own, else the next. */
function fixed(turn: Turn, phase: Standby): void {
  const { settings, state, now } = turn
  const ready = state.sync?.ready === true || (state.sync?.uninitialised && settings.bootstrap)
  const anew = state.sync !== null && state.sync.writtenAt > state.syncAfter
  const fit = settings.standby === 'cold' || (ready && anew)
  const may = settings.lease === 'fixed-primary' && now.boot >= state.standAfter
  if (!may || !fit || phase.swap || !guardIsFresh(turn)) return follow(turn, phase)
  const newest = state.sync?.newestEpoch ?? 0
  const own = newest > 0 && (state.sync?.primaryIn.includes(newest) ?? false)
  const highest = highestEpoch(turn)
  // What was written after a hand-over that was given up is not in its final snapshot: in the same epoch
  // the next hand-over would take that one for its own.
  const handedOver = state.published?.final?.epoch === newest
  const epoch = own && newest >= highest && !handedOver ? newest : highest + 1
  turn.state = { ...state, lease: { ...state.lease, highest: epoch } }
  const before = { ...beforeNow(turn), recordEpoch: Math.max(0, ...(state.sync?.primaryIn ?? [])) }
  const hold = { epoch, sentAt: now.boot }
  const promotion = beginPromotion(turn, epoch, before)
  setPhase(turn, { name: 'promoting', since: now.boot, hold, promotion })
}
