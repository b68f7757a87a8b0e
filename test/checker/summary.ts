import { formatTable } from '@meili-ha/core/cli/table.ts'
import type { Verdict } from './check.ts'

/** So many violations tell what is wrong; the rest is in the history. */
const SHOWN = 20

/** What a run amounted to, as a table, and what it found. */
export function summaryOf(verdict: Verdict): string {
  const { operations, acknowledged, unknown, reads, terms, snapshots, lost, violations } = verdict
  const rows = [
    ['operations', operations],
    ['writes acknowledged', acknowledged],
    ['writes without an answer', unknown],
    ['reads', reads],
    ['terms', terms],
    ['snapshots published', snapshots],
    ['acknowledged writes lost, as promised', lost],
    ...Object.entries(verdict.faults).toSorted(([a], [b]) => a.localeCompare(b)),
    ['violations', violations.length],
  ]
  const counts = new Map<string, number>()
  for (const { promise } of violations) counts.set(promise, (counts.get(promise) ?? 0) + 1)
  return [
    formatTable(rows.map(([what, count]) => [String(what), String(count)])),
    ...[...counts].map(([promise, count]) => `VIOLATED ${count} times: ${promise}`),
    ...violations.slice(0, SHOWN).map(({ promise, what }) => `- ${promise}: ${what}`),
    ...(violations.length > SHOWN ? [`- and ${violations.length - SHOWN} more`] : []),
  ].join('\n')
}
