import { formatWant, type Want } from '@meili-ha/core/ha/want.ts'
import type { Published, Sync } from '@meili-ha/core/ha/sync.ts'
import type { Before, Promotion } from './state.ts'
import { report, want, type Turn } from './turn.ts'

/*
 * promote --(fetcher: level, claim decided)--> claim --(uploader: claim written)--> lead
 *   --(fetcher: epoch in primaryIn)--> done
 */

export function beginPromotion(turn: Turn, epoch: number, before: Before): Promotion {
  const { boot } = turn.now
  const step = turn.settings.standby === 'cold' ? 'done' : 'promote'
  const progress = progressOf(turn)
  return { epoch, before, step, startedAt: boot, stepAt: boot, movedAt: boot, progress }
}

/** Fetcher and uploader both count up while they work. */
export const progressOf = ({ state }: Turn): number =>
  (state.sync?.progress ?? 0) + (state.published?.progress ?? 0)

const wantOf = ({ step, epoch }: Promotion): Want =>
  step === 'promote' || step === 'claim' ? { verb: 'promote', epoch } : { verb: 'lead', epoch }

/** Asks for the current step and moves on when it is acknowledged. */
export function advance(turn: Turn, promotion: Promotion): Promotion {
  if (promotion.step === 'done') return promotion
  const asked = wantOf(promotion)
  want(turn, asked)
  const next = nextStep(promotion.step, formatWant(asked), promotion.epoch, turn)
  if (next !== promotion.step) {
    const durationMs = (turn.now.boot - promotion.stepAt) * 10
    report(turn, 'promotion-step', { epoch: promotion.epoch, step: promotion.step, durationMs })
    const { boot } = turn.now
    return advance(turn, { ...promotion, step: next, stepAt: boot, movedAt: boot })
  }
  const progress = progressOf(turn)
  return progress === promotion.progress
    ? promotion
    : { ...promotion, progress, movedAt: turn.now.boot }
}

function nextStep(step: Promotion['step'], asked: string, epoch: number, { state }: Turn) {
  const acknowledged = state.sync?.acknowledged === asked
  if (step === 'promote' && acknowledged) return 'claim'
  if (step === 'claim' && state.published?.claimed === epoch) return 'lead'
  return step === 'lead' && acknowledged ? 'done' : step
}

/** The fetcher or the uploader has said that it can't; silence is not an answer. */
export function refusal({ state }: Turn, asked: Want): string | null {
  const said = (file: Sync | Published | null) =>
    file?.failed?.want === formatWant(asked) ? file.failed.message : null
  return said(state.sync) ?? said(state.published)
}

/** Why the promotion can't go on; `refused` when somebody said so, `stalled` when nobody says anything. */
export function trouble(
  turn: Turn,
  promotion: Promotion,
): { kind: 'refused' | 'stalled'; message: string } | null {
  const message = refusal(turn, wantOf(promotion))
  if (message !== null) return { kind: 'refused', message }
  const stalled = turn.now.boot - promotion.movedAt >= turn.settings.catchUpTimeout
  return stalled
    ? { kind: 'stalled', message: `no progress at ${promotion.step} for --catch-up-timeout` }
    : null
}
