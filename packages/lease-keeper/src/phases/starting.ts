import { whyNoStandby } from '../gate.ts'
import { writeStandby } from '../hold.ts'
import { update } from '../lease-requests.ts'
import { beginPromotion } from '../promotion.ts'
import { isMembers, isMine, renewed } from '../records.ts'
import type { Hold, Phase } from '../state.ts'
import { guardIsFresh, setPhase, stop, want, writeStop, type Turn } from '../turn.ts'
import { enterPrimary } from './primary.ts'

type Starting = Extract<Phase, { name: 'starting' }>

/** Nothing is known yet: Meilisearch may run on only if this member's term is still in force. */
export function starting(turn: Turn, phase: Starting): void {
  const { state, now } = turn
  // Also when it was told to stop meanwhile: what it leads must be handed over, and only who leads can.
  if (phase.resume) return resume(turn, phase, phase.resume)
  if (state.terminated) return void turn.actions.push({ type: 'exit' })
  if (!state.permit) {
    if (turn.settings.standby === 'cold') {
      // The permit alone holds Meilisearch back: there is no fetcher that could open the gate.
      turn.actions.push({ type: 'writeData', data: { state: 'ready', snapshotId: null } })
    }
    return writeStop(turn, state.lease.highest)
  }
  want(turn, { verb: 'follow', epoch: state.lease.highest })
  if (whyNoStandby(turn) !== null) return
  writeStandby(turn)
  setPhase(turn, { name: 'standby', since: now.boot, swap: null })
}

/** The keeper alone was restarted: it goes on in its epoch under its new name, before term-at or not at all. */
function resume(turn: Turn, phase: Starting, permit: NonNullable<Starting['resume']>): void {
  const { state, now, settings } = turn
  const { lease } = state
  const { epoch } = permit
  if (now.boot >= permit.termAt || lease.missingSince !== null) return stop(turn, epoch, null)
  if (settings.lease === 'fixed-primary') return goOn(turn, { epoch, sentAt: now.boot })
  if (!lease.seen) return
  if (!isMembers(turn, lease.seen.record, epoch)) return stop(turn, epoch, null)
  // Not a read that shows this run's name: an earlier attempt may have arrived late.
  const answered = phase.renewedAt !== null && lease.writtenFrom === phase.renewedAt
  if (answered && isMine(turn, lease.seen.record, epoch)) {
    return goOn(turn, { epoch, sentAt: lease.writtenFrom ?? now.boot })
  }
  if (lease.inFlight || lease.stale || !guardIsFresh(turn)) return
  update(turn, 'renew', renewed(turn, { epoch, sentAt: now.boot }, lease.seen.record))
  turn.state = { ...turn.state, phase: { ...phase, renewedAt: now.boot } }
}

/** The claim was written before the permit was, but for the one who leads unclaimed: that is asked again. */
function goOn(turn: Turn, hold: Hold): void {
  const { state } = turn
  const before = { recordEpoch: hold.epoch, primaryIn: [], renewedAt: null }
  const promotion = beginPromotion(turn, hold.epoch, before)
  const claimed = state.published?.claimed === hold.epoch
  enterPrimary(turn, hold, claimed ? { ...promotion, step: 'lead' } : promotion)
}
