import { formatTable } from '@meili-ha/core/cli/table.ts'
import { formatDuration } from '@meili-ha/core/cli/units.ts'
import { LEASE_IS_HELD } from './candidacy.ts'
import type { LeaseRecord } from './lease/lease.ts'
import { differingDurations } from './members/lease-durations.ts'
import { silentMs, type Statement } from './members/statement.ts'

/** What `status --json` prints. */
export interface ClusterStatus {
  cluster: string
  lease: LeaseRecord | null
  /** `silentMs`: for how long a member that may be gone has said nothing; null = it speaks. */
  members: (Statement & { leads: boolean; silentMs: number | null })[]
  /** Writes lost if the primary's disk were lost now, milliseconds; null = not known. */
  lossMs: number | null
}

/**
 * Puts the record and what the members say together. Pure.
 * @param now of the one who asks: for the printed loss and the silence
 */
export function clusterStatus(
  cluster: string,
  record: LeaseRecord | undefined,
  statements: readonly Statement[],
  now: Date,
): ClusterStatus {
  const members = statements.map((statement) => ({
    ...statement,
    leads: record?.holder != null && record.member === statement.member,
    silentMs: silentMs(statement, record?.renewedAt, now),
  }))
  const startedAt = members.find(({ leads }) => leads)?.snapshotStartedAt
  const lossMs = startedAt == null ? null : Math.max(0, now.getTime() - Date.parse(startedAt))
  return { cluster, lease: record ?? null, members, lossMs }
}

/** What keeps a member from leading; while another leads, nothing that needs to be said. */
function promotionOf(member: ClusterStatus['members'][number]): string {
  const { leads, notReady, waits, silentMs: silent } = member
  if (leads) return ''
  if (silent !== null) return `silent for ${formatDuration(silent)}`
  return notReady ?? (waits == null || waits === LEASE_IS_HELD ? 'ready' : waits)
}

/** The same for people. */
export function printStatus({ cluster, lease, members, lossMs }: ClusterStatus): string {
  if (!lease) return `cluster ${cluster}: no lease record yet\n`
  const leader = lease.holder === null ? 'nobody leads' : `${lease.member} leads`
  const notes = [
    `epoch ${lease.epoch}`,
    ...(lease.paused ? ['failover paused'] : []),
    ...(lease.request ? [`${lease.request.verb} to ${lease.request.to ?? 'any'} asked for`] : []),
    ...(lease.served ? [] : ['never served yet: it waits for its bootstrap member']),
  ]
  const rows = members.map((member) => [
    member.member,
    member.role,
    member.phase,
    member.snapshot ?? '-',
    member.lagMs === null ? '-' : formatDuration(member.lagMs),
    promotionOf(member),
    member.statedAt,
  ])
  const table = formatTable([
    ['member', 'role', 'phase', 'snapshot', 'lag', 'promotion', 'stated'],
    ...rows,
  ])
  const last = members
    .flatMap(({ member, promoted }) => (promoted ? [{ member, ...promoted }] : []))
    .toSorted((a, b) => b.epoch - a.epoch)[0]
  const durations = differingDurations(members)
  const cost =
    last?.lossMs == null ? 'loss not known' : `lost ${formatDuration(last.lossMs)} of writes`
  return [
    `cluster ${cluster}: ${leader}, ${notes.join(', ')}`,
    table.trimEnd(),
    ...(last
      ? [`last promotion: ${last.member} in epoch ${last.epoch} at ${last.at}, ${cost}`]
      : []),
    ...(durations === null
      ? []
      : [`--lease-duration differs, and the longest counts: ${durations}`]),
    lossMs === null
      ? 'loss if the primary died now: not known'
      : `loss if the primary died now: ${formatDuration(lossMs)} of writes`,
    '',
  ].join('\n')
}
