import type { Rules } from '@meili-ha/lease-keeper/rules.ts'

/** A rule of a neighbour of the brain that a mutation breaks. */
export type Slip =
  | 'lineage before rename'
  | 'primaryIn before claim'
  | 'claims what it holds'
  | 'newest by arrival'
  | 'strip leaves the version'
  | 'label without version'
  | 'publishes without claim'
  | 'final of a running directory'
  | 'diverged is replaced'
  | 'guard waits for the deadline'

/** What a history deviates in; empty = the real thing. */
export interface Variation {
  rules: Partial<Rules>
  slips: ReadonlySet<Slip>
}

export const REAL: Variation = { rules: {}, slips: new Set() }
