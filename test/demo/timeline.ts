import { formatDuration } from '@meili-ha/core/cli/units.ts'
import type { Member } from '../cluster/member.ts'
import type { Workload } from './workload.ts'

/** One row of the time-line: milliseconds after the breakage. */
export interface Moment {
  afterMs: number
  what: string
}

/** What the programs logged and what clients saw after `struckAt`, in order of time. */
export function timeline(members: Member[], work: Workload, struckAt: number): Moment[] {
  const moments = [
    ...clientMoments(work, struckAt),
    ...members.flatMap((member) => [...logMoments(member)]),
  ]
  return moments
    .map(({ at, what }) => ({ afterMs: at - struckAt, what }))
    .filter(({ afterMs }) => afterMs > -2000)
    .toSorted((a, b) => a.afterMs - b.afterMs)
}

export function formatMoment({ afterMs, what }: Moment): string[] {
  const sign = afterMs < 0 ? '-' : '+'
  return [`${sign}${formatDuration(Math.abs(afterMs))}`, what]
}

function* clientMoments({ writes, searches }: Workload, struckAt: number) {
  const last = writes.findLast(({ at, ok }) => ok && at <= struckAt)
  if (last) yield { at: last.at, what: 'last write acknowledged before' }
  const failedAt = writes.find(({ at, ok }) => !ok && at > struckAt)?.at
  if (failedAt !== undefined) {
    yield { at: failedAt, what: 'first write refused' }
    const next = writes.find(({ at, ok }) => ok && at > failedAt)
    if (next) yield { at: next.at, what: 'first write acknowledged again' }
  }
  const searchFailed = searches.find(({ at, ok }) => !ok && at > struckAt)
  if (!searchFailed) return
  yield { at: searchFailed.at, what: 'first search failed' }
  const next = searches.find(({ at, ok }) => ok && at > searchFailed.at)
  if (next) yield { at: next.at, what: 'first search answered again' }
}

/** Events of the keepers, fetchers and uploaders that tell the story. */
const TOLD: Record<string, string> = {
  'keeper.lease_lost': 'knows that the lease is lost',
  'keeper.lease_released': 'releases the lease: Meilisearch is confirmed dead',
  'keeper.promoted': 'is promoted',
  'claim.written': 'writes the claim of its epoch',
  'final.published': 'publishes the final snapshot',
  'keeper.unhealthy': 'steps down',
}

function* logMoments(member: Member): Generator<{ at: number; what: string }> {
  for (const line of member.said().split('\n')) {
    if (!line.startsWith('{')) continue
    const entry = JSON.parse(line) as Record<string, string>
    const at = Date.parse(entry['time'] ?? '')
    const event = entry['event'] ?? ''
    const told = TOLD[event]
    if (told) yield { at, what: `${member.name} ${told}` }
    if (event === 'keeper.phase' && entry['to'] === 'acquiring') {
      yield { at, what: `${member.name} sees the lease free and takes it` }
    }
    if (event === 'keeper.phase' && entry['to'] === 'standby') {
      yield { at, what: `${member.name} stands by` }
    }
  }
}
