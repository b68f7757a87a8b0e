import type { LeaseRecord } from '@meili-ha/lease-keeper/lease/lease.ts'
import type { Statement } from '@meili-ha/lease-keeper/members/statement.ts'

/** A record in which every field says something. */
export const HELD: LeaseRecord = {
  holder: 'uid-1/nonce-1',
  member: 'meili-0',
  epoch: 7,
  renewals: 41,
  durationMs: 15_000,
  renewedAt: '2026-01-02T03:04:05.678Z',
  released: null,
  served: true,
  paused: false,
  request: { id: 'r1', verb: 'switchover', to: 'meili-1' },
}

/** What a standby says about itself. */
export const STATED: Statement = {
  member: 'meili-0',
  role: 'standby',
  phase: 'standby',
  epoch: 3,
  snapshot: '0000000003-0000000002',
  snapshotStartedAt: '2026-01-02T03:04:00.000Z',
  lagMs: 1200,
  notReady: null,
  handoverMs: 900,
  promoted: null,
  statedAt: '2026-01-02T03:04:05.678Z',
}
