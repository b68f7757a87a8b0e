/*
 * Everything that happened in a run, as JSON lines. All times are milliseconds since the run began,
 * of one monotonic clock; what only the wall clock tells (a snapshot's start) is converted on entry.
 */

/** One document, never written twice, and the writer's register in the same task. */
export interface Write {
  kind: 'write'
  client: string
  /** Of the document. */
  id: string
  /** The register that was set to `value`; a client sets only higher and higher values in one. */
  register: string
  value: number
  /** Who answered. */
  member: string
  invoked: number
  completed: number
  /** `unknown`: no answer, so it may have been taken or not. */
  outcome: 'ok' | 'refused' | 'unknown'
  taskUid: number | null
}

/** A register as one member showed it. */
export interface Read {
  kind: 'read'
  client: string
  register: string
  /** 0 = it isn't there. */
  value: number
  member: string
  /** How the member was chosen: `GET /primary`, or `GET /read-only?lag=…`. */
  route: 'primary' | 'reads'
  invoked: number
  completed: number
}

/** A Meilisearch that ran under a primary permit, as its process was seen. */
export interface TermSeen {
  kind: 'term'
  member: string
  epoch: number
  from: number
  /** When it was first seen dead; null = it lives. */
  until: number | null
}

/** A manifest, when it was first seen in the store. */
export interface ManifestSeen {
  kind: 'manifest'
  seenAt: number
  id: string
  epoch: number
  seq: number
  writer: string
  /** Hash of its tarball; null = an empty beginning. */
  tarball: string | null
  /** The claimed manifest; null for a claim of nothing; absent unless it is a claim. */
  of?: string | null
  final: boolean
  startedAt: number | null
  finishedAt: number | null
  lastTaskUid: number | null
}

/** The lease was first seen at a higher epoch. */
export interface LeaseSeen {
  kind: 'lease'
  epoch: number
  /** The last look that still showed a lower one. */
  after: number
  at: number
}

/** What a member printed at its promotion. */
export interface Promoted {
  kind: 'promoted'
  member: string
  epoch: number
  lossMs: number | null
}

/** What the nemesis did, to whom, and when it was healed. */
export interface FaultDone {
  kind: 'fault'
  fault: string
  /** A member, or null for what befell all. */
  member: string | null
  from: number
  until: number
  /** While it lasts the design promises nothing about this member's Meilisearch. */
  excused?: true
  /** The tarball that it damaged. */
  damaged?: string
  /** A switch-over that was reported as done: the epoch that it led to. */
  handedOverTo?: number
}

/** The ids of all documents of a member, when all was healed. */
export interface FinalState {
  kind: 'final'
  member: string
  ids: string[]
}

/** Seen during the run, and never allowed: an overlap of permits, a cluster that doesn't heal. */
export interface Seen {
  kind: 'seen'
  at: number
  what: string
}

export interface Start {
  kind: 'start'
  /** Wall clock, for people. */
  at: string
  seed: number
  members: string[]
  leaseMs: number
  /** The lag that the read route asks for. */
  lagMs: number
}

export type Entry =
  | Start
  | Write
  | Read
  | TermSeen
  | ManifestSeen
  | LeaseSeen
  | Promoted
  | FaultDone
  | FinalState
  | Seen

/** The entries of one kind, in the order in which they were recorded. */
export function only<K extends Entry['kind']>(
  entries: readonly Entry[],
  kind: K,
): Extract<Entry, { kind: K }>[] {
  return entries.filter((entry): entry is Extract<Entry, { kind: K }> => entry.kind === kind)
}

/** What breaks a promise. */
export interface Violation {
  promise: string
  what: string
}
