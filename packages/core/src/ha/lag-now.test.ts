import { expect, test } from 'vitest'
import { lagNow } from './lag-now.ts'
import type { Sync } from './sync.ts'

const at = (lagSeconds: number | null, listedAt: number | null, listsEvery?: number) =>
  ({ lagSeconds, listedAt, listsEvery }) as Sync

test('a standby is as far behind as its last LIST showed, as long as it lists', () => {
  expect(lagNow(at(7, 10_000, 3000), 10_000)).toBe(7)
  expect(lagNow(at(7, 10_000, 3000), 16_500)).toBe(7)
})

test('once it sees nothing any more, it may be behind by all that time too', () => {
  expect(lagNow(at(0, 10_000, 3000), 16_501)).toBeCloseTo(65.01)
  expect(lagNow(at(7, 10_000, 3000), 40_000)).toBe(307)
})

test('what was never known is not known', () => {
  expect(lagNow(at(null, 10_000, 3000), 10_000)).toBeNull()
  expect(lagNow(at(0, null, 3000), 10_000)).toBe(0)
})
