import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decideSnapshot, type ScheduleState } from './schedule.ts'

const policy = { everyMs: 60_000, maxDuty: 0.2 }
const fresh: ScheduleState = {
  beganAt: undefined,
  costMs: 0,
  term: '0',
  newestTask: 3,
  newestTaskThen: undefined,
}

test('asks at once when it never asked and there is something to keep', () => {
  expect(decideSnapshot(fresh, policy, 0)).toEqual({ ask: true })
})

test('asks for nothing when nothing changed since the last', () => {
  const state = { ...fresh, beganAt: 0, newestTaskThen: 3 }
  expect(decideSnapshot(state, policy, 10_000_000)).toMatchObject({ ask: false })
})

test('a snapshot that takes long is asked for less often', () => {
  const state = { ...fresh, beganAt: 0, costMs: 60_000 }
  expect(decideSnapshot(state, policy, 299_999)).toEqual({ ask: false, waitMs: 1 })
  expect(decideSnapshot(state, policy, 300_000)).toEqual({ ask: true })
})

test('whatever a snapshot costs, at most max-duty of the time goes into them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 500_000 }), { minLength: 5, maxLength: 40 }),
      fc.integer({ min: 1, max: 100_000 }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      (costs, everyMs, maxDuty) => {
        let now = 0
        let spent = 0
        let task = 0
        let state = { ...fresh, newestTask: task }
        for (const costMs of costs) {
          let decision = decideSnapshot(state, { everyMs, maxDuty }, now)
          while (!decision.ask) {
            now += Math.max(1, decision.waitMs)
            decision = decideSnapshot(state, { everyMs, maxDuty }, now)
          }
          const beganAt = now
          now += costMs
          spent += costMs
          task += 1
          state = { ...state, beganAt, costMs, newestTaskThen: task - 1, newestTask: task }
        }
        // The last one's rest hasn't been waited for yet.
        const rested = now + (costs.at(-1) as number) / maxDuty
        expect(spent / rested).toBeLessThanOrEqual(maxDuty + 1e-9)
      },
    ),
  )
})
