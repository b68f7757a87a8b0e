import type { LeaseRecord } from '@meili-ha/lease-keeper/lease/lease.ts'

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
