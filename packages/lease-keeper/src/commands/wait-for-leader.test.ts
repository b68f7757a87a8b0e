import { expect, test } from 'vitest'
import type { LeaseRecord, LeaseRequest } from '../lease/lease.ts'
import { whyFailed } from './wait-for-leader.ts'

const REQUEST: LeaseRequest = { id: 'r1', verb: 'switchover', to: null }

const BEFORE: LeaseRecord = {
  holder: 'uid-1/nonce',
  member: 'm1',
  epoch: 4,
  renewals: 9,
  durationMs: 15_000,
  renewedAt: '2026-01-02T03:04:05.678Z',
  released: null,
  served: true,
  paused: false,
  request: REQUEST,
}

const taken = (member: string): LeaseRecord => ({
  ...BEFORE,
  holder: `uid-${member}/nonce`,
  member,
  epoch: 5,
  request: null,
})

test('a request that is still on the record, or nobody holds, is under way', () => {
  expect(whyFailed(BEFORE, BEFORE, REQUEST)).toBeUndefined()
  const released = { ...BEFORE, holder: null, released: 4, request: { ...REQUEST, id: 'drain-4' } }
  expect(whyFailed(BEFORE, released, REQUEST)).toBeUndefined()
})

test('a switch-over after which the same member leads was given up', () => {
  expect(whyFailed(BEFORE, taken('m1'), REQUEST)).toBe('it was given up: m1 leads in epoch 5')
  expect(whyFailed(BEFORE, taken('m2'), REQUEST)).toBeUndefined()
})

test('who leads instead of the one that was asked for is said', () => {
  const asked: LeaseRequest = { ...REQUEST, to: 'm3' }
  expect(whyFailed(BEFORE, taken('m2'), asked)).toBe('m2 leads in epoch 5, not m3')
  expect(whyFailed(BEFORE, taken('m3'), asked)).toBeUndefined()
})

test('a primary that is well is not replaced by promote', () => {
  const promote: LeaseRequest = { id: 'r1', verb: 'promote', to: null }
  expect(whyFailed(BEFORE, { ...BEFORE, request: null }, promote)).toMatch(/m1 leads .* is well/)
  expect(whyFailed(BEFORE, taken('m1'), promote)).toBeUndefined()
})
