import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyHistory, live, temptation } from './history.ts'
import { MUTATIONS } from './mutations.ts'
import { BrokenPromise } from './promises.ts'

const RUNS = 4_000
const SEED = 5

test.each(Object.entries(MUTATIONS))(
  'some history breaks a promise when %s',
  (_name, { variation, temptation: tempting }) => {
    const histories = tempting ? temptation(tempting) : anyHistory
    const result = fc.check(
      fc.property(histories, (history) => void live(history, variation)),
      { numRuns: RUNS, seed: SEED, endOnFailure: true },
    )
    expect(result.failed).toBe(true)
    expect(result.errorInstance).toBeInstanceOf(BrokenPromise)
  },
)

test('the same temptations break nothing while every rule stands', () => {
  for (const { temptation: tempting } of Object.values(MUTATIONS)) {
    if (!tempting) continue
    fc.assert(
      fc.property(temptation(tempting), (history) => void live(history)),
      { numRuns: 60, seed: SEED },
    )
  }
})
