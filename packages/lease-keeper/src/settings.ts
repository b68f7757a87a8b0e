import type { Timing } from './timing.ts'

/** What the decisions depend on and that doesn't change while a keeper runs. Durations in centiseconds. */
export interface Settings {
  /** `--member`. */
  member: string
  /** The pod's uid, elsewhere what `/ha/member` says: survives a restart of the keeper. */
  uid: string
  /** New at every start of the keeper. */
  nonce: string
  bootId: string
  timing: Timing
  /** `shared`: a lease record. `fixed-*`: `--lease none`, the roles never change. */
  lease: 'shared' | 'fixed-primary' | 'fixed-standby'
  /** Cold: one volume, no store, no fetcher and no uploader; Meilisearch runs on the primary alone. */
  standby: 'warm' | 'cold'
  /** `labels`: pods carry the role. `http`: routers ask this keeper. */
  routing: 'labels' | 'http'
  /** This is `--bootstrap-member`: it alone may take the first epoch of a cluster. */
  bootstrap: boolean
  /** `--bootstrap-member` names another member. */
  bootstrapIsOther: boolean
  failover: 'auto' | 'manual'
  failoverDelay: number
  /** Milliseconds; null = off. */
  maxLossMs: number | null
  unhealthyAfter: number
  catchUpTimeout: number
  /** How long a drain may take in all; null = as long as it makes progress. */
  drainLimit: number | null
}

/** The holder of a record is one run of one keeper on one member. */
export const identityOf = (settings: Settings): string => `${settings.uid}/${settings.nonce}`

/** True when `holder` is this member, whichever run of its keeper. */
export const isOwnUid = (holder: string | null, settings: Settings): boolean =>
  holder !== null && holder.slice(0, holder.lastIndexOf('/')) === settings.uid
