import type { GuardBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { Permit } from '@meili-ha/core/ha/permit.ts'
import type { Published, Sync } from '@meili-ha/core/ha/sync.ts'
import type { Want } from '@meili-ha/core/ha/want.ts'
import type { Pod } from './event.ts'
import type { LeaseRecord, VersionedRecord } from './lease/lease.ts'

/*
 *                 permit in force, record still ours, renewed in time
 *   starting ------------------------------------------------------------+
 *      |  record read, fetcher decided, guard stopped, label off         |
 *      v                                                                 v
 *   standby ---> acquiring ---> promoting ---------------------------> primary
 *      ^  free,      | conflict,    | claim fails: give the lease back   | |
 *      |  ready      | not ours     | lost                              | | SIGTERM, switch-over
 *      +<------------+<-------------+                                   | v
 *      |                  ^         new epoch if the drain fails        | draining
 *      |                  +---------------------------------------------|--+ |
 *      |  guard stopped, label off, record read            lost,        v    v final published,
 *      +--------------------------------------------------- stopping <-------+ released
 *                                                           unhealthy
 *
 * Permit: `stop` in starting, draining and stopping; `standby` in standby, acquiring and promoting
 * (after a failed drain, and in a cold standby, `stop`); `primary` in primary alone.
 * `exit` is an action: on SIGTERM from every phase, after the drain or the release where there is one.
 */
export interface KeeperState {
  phase: Phase
  lease: LeaseView
  pod: PodView
  beat: GuardBeat | null
  sync: Sync | null
  published: Published | null
  /** `lateAt`: when the last check was not answered in time, though the one before was. */
  health: { healthy: boolean; since: number; lateAt?: number } | null
  /** When Meilisearch got a new pid under this term's permit: what tells a crash loop. */
  restarts: number[]
  /** The last permit written, when in the guard's clock, and the renewal that it is worth (primary only). */
  permit: { permit: Permit; writtenAt: number; from: number | null } | null
  want: Want | null
  terminated: boolean
  drainAskedAt: number | null
  /** Who released doesn't stand before this, unless a later term is handed over. */
  standAfter: number
  /** The epoch that was handed over then; infinite for who was not well enough to go on. */
  releasedIn: number
  /** Who failed to be promoted doesn't stand before sync.json was written after this. */
  syncAfter: number
}

export type Phase =
  /** `resume`: a primary permit that was in force when this keeper started; `renewedAt`: its renewal was sent. */
  | { name: 'starting'; since: number; resume: PrimaryPermit | null; renewedAt: number | null }
  | { name: 'standby'; since: number; swap: { id: string; since: number; told: boolean } | null }
  | { name: 'acquiring'; since: number; epoch: number; sentAt: number; before: Before }
  | { name: 'promoting'; since: number; hold: Hold; promotion: Promotion }
  | { name: 'primary'; since: number; hold: Hold; promotion: Promotion }
  | { name: 'draining'; since: number; hold: Hold; drain: Drain }
  /** `hold`: still to be released once Meilisearch is confirmed dead; null = lost or already released. */
  | { name: 'stopping'; since: number; epoch: number; hold: Hold | null }

export type PhaseName = Phase['name']
export type PrimaryPermit = Extract<Permit, { role: 'primary' }>

/** A lease that is held: every deadline counts from the sending of the last renewal that succeeded. */
export interface Hold {
  epoch: number
  sentAt: number
}

/** What was true before the lease was taken: the claim's exception and the printed loss judge by it. */
export interface Before {
  recordEpoch: number
  primaryIn: readonly number[]
  /** Wall clock of the last renewal of a permitted primary; null = there was none. */
  renewedAt: string | null
}

export interface Promotion {
  epoch: number
  before: Before
  step: 'promote' | 'claim' | 'lead' | 'done'
  startedAt: number
  stepAt: number
  /** When sync.json or published.json last showed progress, and the sum they showed. */
  movedAt: number
  progress: number
}

export interface Drain {
  step: 'unroute' | 'stop' | 'final' | 'settle' | 'release'
  stepAt: number
  movedAt: number
  progress: number
  /** The member that shall lead next, as the person asked. */
  to: string | null
}

export interface LeaseView {
  /** The last record that an answer showed; `since` = when its holder and renewals were first seen so. */
  seen: (VersionedRecord & { since: number }) | null
  /** The last record that there was, kept when it is gone: what its maker anew must not forget. */
  last: LeaseRecord | null
  /** Since when the answers have said that there is no record. */
  missingSince: number | null
  /** When the last read or write was answered. */
  answeredAt: number | null
  /** The highest epoch that any record showed to this keeper. */
  highest: number
  /** The epoch of the last term that this keeper saw held. */
  watched: number
  /** A record that this keeper saw said that somebody had served. */
  everServed: boolean
  inFlight: { purpose: Purpose; sentAt: number; record: LeaseRecord | null } | null
  /** Something went wrong since the last answer: read before writing. */
  stale: boolean
  /** When the last write that was answered with success was sent. */
  writtenFrom: number | null
  /** No request before this. */
  nextAt: number
}

export type Purpose = 'read' | 'renew' | 'acquire' | 'release' | 'announce'

export interface PodView {
  known: Pod | null
  inFlight: { kind: 'read' | 'label' | 'strip' | 'others'; sentAt: number } | null
  nextAt: number
  /** Both labels were taken off by an answered PATCH since this member last could carry them. */
  stripped: boolean
  /** The record's renewals when the others were last stripped in this term. */
  routedAt: number | null
}

/**
 * A keeper that has just started.
 * @param permit `/ha/permit` as found, when it is a primary permit in force (see permitsPrimary)
 * @param epoch the epoch that `/ha/permit` names, whatever it says; 0 = none
 */
export function startingState(
  now: number,
  permit: PrimaryPermit | null,
  epoch: number,
): KeeperState {
  return {
    phase: { name: 'starting', since: now, resume: permit, renewedAt: null },
    lease: {
      seen: null,
      last: null,
      missingSince: null,
      answeredAt: null,
      highest: epoch,
      watched: 0,
      everServed: false,
      inFlight: null,
      stale: true,
      writtenFrom: null,
      nextAt: now,
    },
    pod: { known: null, inFlight: null, nextAt: now, stripped: false, routedAt: null },
    beat: null,
    sync: null,
    published: null,
    health: null,
    restarts: [],
    permit: null,
    want: null,
    terminated: false,
    drainAskedAt: null,
    standAfter: 0,
    releasedIn: 0,
    syncAfter: 0,
  }
}
