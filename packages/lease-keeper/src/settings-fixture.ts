import type { Settings } from './settings.ts'
import { timingFor } from './timing.ts'

/** Settings for tests: a warm member of a cluster with labels and a shared lease of 15 s. */
export function settingsFor(change: Partial<Settings> = {}): Settings {
  return {
    member: 'm0',
    uid: 'uid-0',
    nonce: 'n0',
    bootId: 'b00',
    timing: timingFor(15_000),
    lease: 'shared',
    standby: 'warm',
    routing: 'labels',
    bootstrap: false,
    bootstrapIsOther: false,
    failover: 'auto',
    failoverDelay: 0,
    maxLossMs: null,
    unhealthyAfter: 3_000,
    catchUpTimeout: 6_000,
    drainLimit: null,
    ...change,
  }
}
