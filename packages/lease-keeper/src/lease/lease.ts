/**
 * What a lease record says, whatever keeps it: a coordination.k8s.io Lease or an object in the
 * store. One record per cluster; every write replaces the whole record under its version.
 */
export interface LeaseRecord {
  /** `<uid>/<nonce>` of the keeper that holds it; null = nobody (released, or made anew without holder). */
  holder: string | null
  /** `--member` of the holder (of the last holder, when released). */
  member: string | null
  /** The term's number, the fencing token; written in the same update as `holder`; never goes down. */
  epoch: number
  /** Changes with every renewal. "Unchanged" = same holder and same renewals. Never a time. */
  renewals: number
  /** The holder's own lease duration, milliseconds; a reader takes max(recorded, its own). */
  durationMs: number
  /** Wall clock of the holder, ISO 8601: for people, and for `--max-loss`; never for safety. */
  renewedAt: string
  /** The release marker: the epoch whose holder confirmed that its Meilisearch is dead. */
  released: number | null
  /** A primary permit was given in this cluster once: it is initialised. */
  served: boolean
  /** No automatic promotion while set. */
  paused: boolean
  /** What a person asked for; `id` tells two requests apart. */
  request: LeaseRequest | null
}

/**
 * The highest epoch that is believed of a record. Names and permits have ten digits: nobody could ever
 * lead after one that a person mistyped, since epochs don't go down.
 */
export const HIGHEST_EPOCH = 999_999_999

export interface LeaseRequest {
  id: string
  verb: 'switchover' | 'promote'
  /** The member that shall lead; null = any. */
  to: string | null
}

/** A record as read, with the version that the next write must name. */
export interface VersionedRecord {
  record: LeaseRecord
  /** resourceVersion or ETag; opaque. */
  version: string
}

/**
 * How a lease call can fail. `conflict`: somebody else wrote first (a definite no). `unknown`: no
 * answer in time, a 5xx, a lost answer: it may have taken effect. `denied`: credentials or RBAC.
 */
export type LeaseFailure = 'conflict' | 'unknown' | 'denied'

export class LeaseError extends Error {
  readonly failure: LeaseFailure
  constructor(failure: LeaseFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LeaseError'
    this.failure = failure
  }
}

/** Each call is one request with a deadline that covers the body; never retried inside. */
export interface LeaseBackend {
  /** For people and logs. */
  readonly name: string
  /** Undefined when there is no record; an emptied or unreadable one comes back as `holder: null, epoch: 0`. */
  read(): Promise<VersionedRecord | undefined>
  create(record: LeaseRecord): Promise<VersionedRecord>
  /** @throws LeaseError `conflict` when `version` is no longer the newest. */
  update(record: LeaseRecord, version: string): Promise<VersionedRecord>
}
