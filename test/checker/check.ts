import { checkReads } from './check-reads.ts'
import { checkTerms } from './check-terms.ts'
import { checkClaims, checkLosses, checkWrites, lostByEpoch } from './check-writes.ts'
import { fatesOf } from './fates.ts'
import { only, type Entry, type Violation } from './history.ts'

/** What a run amounted to. */
export interface Verdict {
  violations: Violation[]
  operations: number
  acknowledged: number
  /** Acknowledged writes that a failover lost as it may. */
  lost: number
  unknown: number
  reads: number
  terms: number
  snapshots: number
  faults: Record<string, number>
}

/** Decides whether a history keeps the promises of the design; a pure function. */
export function check(entries: readonly Entry[]): Verdict {
  const [start] = only(entries, 'start')
  if (!start) throw new Error('a history begins with its start')
  const fates = fatesOf(entries)
  const violations = [
    ...only(entries, 'seen').map(({ at, what }) => ({
      promise: 'seen while it ran',
      what: `${what}, at ${Math.round(at)} ms`,
    })),
    ...checkTerms(entries),
    ...checkWrites(entries, fates),
    ...checkClaims(entries, fates.chain),
    ...checkLosses(entries, fates, start.leaseMs),
    ...checkReads(entries, fates, start.lagMs),
  ]
  const writes = only(entries, 'write')
  const reads = only(entries, 'read')
  const faults: Record<string, number> = {}
  for (const { fault } of only(entries, 'fault')) faults[fault] = (faults[fault] ?? 0) + 1
  return {
    violations,
    operations: writes.length + reads.length,
    acknowledged: fates.of.size,
    lost: [...lostByEpoch(entries, fates).values()].flat().length,
    unknown: writes.filter(({ outcome }) => outcome === 'unknown').length,
    reads: reads.length,
    terms: new Set(only(entries, 'term').map(({ epoch }) => epoch)).size,
    snapshots: only(entries, 'manifest').filter(({ seq }) => seq > 0).length,
    faults,
  }
}
