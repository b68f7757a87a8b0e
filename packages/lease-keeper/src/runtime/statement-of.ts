import { lagNow } from '@meili-ha/core/ha/lag-now.ts'
import type { Statement } from '../members/statement.ts'
import { servesAsPrimary, servesAsStandby } from '../serves.ts'
import type { Keeper } from './keeper.ts'

/** What this member says about itself, for `status`. */
export function statementOf(keeper: Keeper): Statement {
  const { settings, state, now, lastPromotion, waits } = keeper
  const { sync, published, lease, phase } = state
  const role = servesAsPrimary(settings, state, now.boot)
    ? 'primary'
    : servesAsStandby(state)
      ? 'standby'
      : 'stopped'
  const lagSeconds = sync && lagNow(sync, now.boot)
  const ownNewest = phase.name === 'primary' ? (published?.newest ?? null) : null
  return {
    member: settings.member,
    role,
    phase: phase.name,
    epoch: lease.highest,
    snapshot: ownNewest?.id ?? sync?.holds?.id ?? null,
    snapshotStartedAt: ownNewest?.snapshotStartedAt ?? sync?.holds?.snapshotStartedAt ?? null,
    lagMs: role === 'primary' ? 0 : lagSeconds === null ? null : lagSeconds * 1000,
    notReady: settings.standby === 'cold' ? null : sync ? sync.reason : 'the fetcher is silent',
    waits,
    handoverMs: handoverMs(published),
    leaseDurationMs: settings.lease === 'shared' ? settings.timing.takeover * 10 : null,
    promoted: lastPromotion,
    statedAt: now.wall,
  }
}

/** Archive and upload of the data directory at the rate last measured; null = not known. */
function handoverMs(published: Keeper['state']['published']): number | null {
  const { dataBytes, bytesPerSecond } = published ?? {}
  if (dataBytes == null || bytesPerSecond == null) return null
  return Math.round((dataBytes * 1000) / bytesPerSecond)
}
