import { expect, test } from 'vitest'
import { longestOutage } from '../demo/outage.ts'
import type { Sample } from './failover-run.ts'
import { failoverTables, judge, percentile, type Measured } from './failover-summary.ts'

const sample = (over: Partial<Sample>): Sample => ({
  ...{ firstWriteMs: 1000, firstReadMs: 20, writeGapMs: 1000, readGapMs: 80 },
  ...{ readsFailed: 0, acknowledged: 100, lost: 0 },
  ...over,
})

const measured = (over: Partial<Measured>): Measured => ({
  ...{ kind: 'member', leaseDuration: '15s', dataBytes: 0, samples: [sample({})] },
  ...{ violations: [], broken: [] },
  ...over,
})

test('the 95th percentile of twenty runs is the last but one', () => {
  const values = Array.from({ length: 20 }, (_, index) => 20 - index)
  expect(percentile(values, 95)).toBe(19)
  expect(percentile([7], 95)).toBe(7)
  expect(percentile([], 95)).toBeNaN()
})

test('an outage begins with the last answer before it, also if that came after the fault', () => {
  const answer = (at: number, ok = true) => ({ began: at - 1, at, ok, id: at })
  const done = [
    answer(10),
    answer(900),
    answer(1000),
    answer(1100, false),
    answer(3000),
    answer(3050),
  ]
  expect(longestOutage(done, 950)).toEqual({ from: 1000, until: 3000 })
  // The one before the fault doesn't count.
  expect(longestOutage(done, 3010)).toEqual({ from: 3000, until: 3050 })
  expect(longestOutage(done, 4000)).toBeUndefined()
})

test('a goal is missed by one slow run in ten, and not by one in twenty', () => {
  const slow = sample({ firstWriteMs: 20_001 })
  const fast = (count: number) => Array.from({ length: count }, () => sample({}))
  expect(judge(measured({ samples: [...fast(19), slow] }))?.met).toBe(true)
  expect(judge(measured({ samples: [...fast(18), slow, slow] }))?.met).toBe(false)
  expect(judge(measured({ leaseDuration: '5s' }))).toBeUndefined()
})

test('a switch-over may lose nothing, a swap may fail no read', () => {
  expect(judge(measured({ kind: 'switchover' }))?.met).toBe(true)
  expect(judge(measured({ kind: 'switchover', samples: [sample({ lost: 1 })] }))?.met).toBe(false)
  const swaps = { swaps: 20, reads: 900, readsFailed: 1, readGapMs: 100 }
  expect(judge(measured({ kind: 'swap', samples: [], swaps }))?.met).toBe(false)
  expect(judge(measured({ kind: 'swap', samples: [] }))?.met).toBe(false)
})

test('the table says how many runs broke off, and which goal was missed', () => {
  const table = failoverTables([
    measured({ broken: ['why'], samples: [sample({ firstWriteMs: 21_000, lost: 3 })] }),
  ])
  expect(table).toContain('| member | 15s | 1 (1 broken off) | 21.0 s (p95 21.0, 21.0 to 21.0) |')
  expect(table).toContain('| 3 of 100 | <= 20 s: **missed** |')
})
