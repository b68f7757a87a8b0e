import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyHistory, live, temptation } from './history.ts'
import { REAL } from './variation.ts'
import { FIXED } from './world.ts'

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

test('with fixed roles every promise holds too, without a lease', () => {
  const kinds = [
    'freeze keeper',
    'freeze all but the guard',
    'kill keeper',
    'kill fetcher',
    'kill uploader',
    'crash meilisearch',
    'reboot',
    'store outage',
    'pods outage',
    'wall clock',
    'terminate keeper',
    'drain',
  ] as const
  const histories = temptation({ kinds, cold: false, weather: { lost: 0.1, late: 0.1 } })
  fc.assert(
    fc.property(histories, (history) => {
      const world = live(history, REAL, FIXED)
      expect(world.register.record).toBeUndefined()
    }),
    { numRuns: 100, seed, endOnFailure: true },
  )
})
