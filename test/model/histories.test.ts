import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyHistory, live } from './history.ts'

/** More in a night: MEILI_HA_MODEL_RUNS=200000, and MEILI_HA_MODEL_SEED to repeat one. */
const runs = Number(process.env['MEILI_HA_MODEL_RUNS'] ?? 2_000)
const seed = Number(process.env['MEILI_HA_MODEL_SEED'] ?? 20_270_101)

test(
  `every promise holds at every instant of ${runs} histories, and each ends with one primary`,
  { timeout: 60_000 + runs * 60 },
  () => {
    let terms = 0
    let drained = 0
    const everyHistory = fc.property(anyHistory, (history) => {
      const { promises } = live(history)
      terms += promises.terms
      drained += promises.drained
    })
    fc.assert(everyHistory, { numRuns: runs, seed })
    // A world in which nothing happens would keep every promise.
    expect(terms).toBeGreaterThan(runs)
    expect(drained).toBeGreaterThan(runs / 20)
  },
)

test('the same history is lived the same way twice', () => {
  const [history] = fc.sample(anyHistory, { numRuns: 1, seed })
  const ends = [live(history!), live(history!)].map(({ simulation, store, register }) => ({
    now: simulation.now,
    ids: store.manifests.map(({ id }) => id),
    record: register.record,
  }))
  expect(ends[0]).toEqual(ends[1])
})
