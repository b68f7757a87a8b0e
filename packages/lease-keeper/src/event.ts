import type { GuardBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { Published, Sync } from '@meili-ha/core/ha/sync.ts'
import type { LeaseFailure, VersionedRecord } from './lease/lease.ts'

/** This member's own pod as the API server answered (`labels` routing only). */
export interface Pod {
  /** resourceVersion. */
  version: string
  /** `meili-ha/role=primary` is on it. */
  primary: boolean
  /** `meili-ha/reads=yes` is on it. */
  reads: boolean
}

/** What a decision is told; the time comes beside it. Requests of people come inside the record. */
export type Event =
  | { type: 'tick' }
  /** A read, create or update of the lease succeeded; `sentAt` is the action's. Undefined = no record. */
  | { type: 'leaseAnswered'; sentAt: number; found: VersionedRecord | undefined }
  | { type: 'leaseFailed'; sentAt: number; failure: LeaseFailure }
  /** `/ha/guard`, `/ha/sync.json` and `/ha/published.json` as just read; undefined = absent or unreadable. */
  | { type: 'guardSeen'; beat: GuardBeat | undefined }
  | { type: 'syncSeen'; sync: Sync | undefined }
  | { type: 'publishedSeen'; published: Published | undefined }
  /** `late`: not healthy only in that no answer came in time. */
  | { type: 'healthSeen'; healthy: boolean; late?: boolean }
  /** The answer to `readPod` or `patchPod`. */
  | { type: 'podAnswered'; pod: Pod }
  | { type: 'podFailed'; conflict?: boolean }
  /** The answer to `stripOthers`. `conflict`: a pod had changed since it was read; that is over at once. */
  | { type: 'othersStripped'; ok: boolean; conflict?: boolean }
  /** `/ha/drain` has appeared: the guard got SIGTERM at `askedAt` (its own clock). */
  | { type: 'drainAsked'; askedAt: number }
  /** This keeper got SIGTERM. */
  | { type: 'terminated' }

export type EventType = Event['type']

/** The two clocks at a decision. Wall time is written for people and never decides anything. */
export interface Now {
  /** Centiseconds since boot. */
  boot: number
  /** ISO 8601. */
  wall: string
}
