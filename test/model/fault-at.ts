import type { Fault, FaultKind } from './faults.ts'
import type { History } from './history.ts'

/** Times in seconds, counted from 25 s after the cluster's machines were started. */
export const fault = (at: number, kind: FaultKind, member: number, length = 0): Fault => ({
  at: at * 100,
  kind,
  member,
  length: length * 100,
})

/** Two members whose clocks run alike. */
export const EVEN: History['members'] = [
  { rate: 1, guardOffset: 0 },
  { rate: 1, guardOffset: 0 },
]
