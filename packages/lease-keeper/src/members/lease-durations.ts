import { formatDuration } from '@meili-ha/core/cli/units.ts'
import type { Statement } from './statement.ts'

/** A member and the `--lease-duration` it runs with. */
export type DurationOf = Pick<Statement, 'member' | 'leaseDurationMs'>

/**
 * `m1 5.0 s, m2 15.0 s` where members run with different lease durations; null = all that say agree.
 * It is no danger, since everyone waits for the longer of the record's and its own, but nobody then knows
 * when a failover comes.
 */
export function differingDurations(members: readonly DurationOf[]): string | null {
  const said = members.filter(({ leaseDurationMs }) => leaseDurationMs != null)
  if (new Set(said.map(({ leaseDurationMs }) => leaseDurationMs)).size < 2) return null
  return said
    .map(({ member, leaseDurationMs }) => `${member} ${formatDuration(leaseDurationMs!)}`)
    .join(', ')
}
