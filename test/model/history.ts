import fc from 'fast-check'
import { anyFault, FAULTS_END, inflict, type Fault } from './faults.ts'
import { CALM, type Weather } from './network.ts'
import { Simulation } from './simulation.ts'
import { REAL, type Variation } from './variation.ts'
import { COLD, USUAL, World, type WorldSettings } from './world.ts'

/** Everything that makes one history what it is: run twice, it is the same. */
export interface History {
  seed: number
  members: { rate: number; guardOffset: number }[]
  weather: Weather
  faults: Fault[]
  cold: boolean
}

const often = fc.constantFrom(0, 0, 0.02, 0.1, 0.3)

/** Boot clocks differ by up to 20 %, the guard's clock by up to a second from the keeper's. */
export const anyHistory: fc.Arbitrary<History> = fc.record({
  seed: fc.integer(),
  members: fc.array(
    fc.record({
      rate: fc.constantFrom(0.9, 0.95, 1, 1.05, 1.08),
      guardOffset: fc.constantFrom(0, 0, 0, -100, -80, 80),
    }),
    { minLength: 2, maxLength: 3 },
  ),
  weather: fc.record({ lost: often, late: often, doubled: often, answerLost: often }),
  faults: fc.array(anyFault, { minLength: 1, maxLength: 14 }),
  cold: fc.boolean(),
})

/** With the faults over, how long it may take until one member serves (centiseconds). */
export const RECOVERY = 15_000

/**
 * Lives through a history.
 * @throws BrokenPromise at the first instant at which one is broken, or when nobody serves in the end
 */
export function live(
  history: History,
  variation: Variation = REAL,
  settings: WorldSettings = history.cold ? COLD : USUAL,
): World {
  const simulation = new Simulation(history.seed)
  const world = new World(simulation, history.members, variation, settings)
  // A cluster that has begun, so that faults meet terms and not the wait for the first.
  simulation.at(2_500, () => (world.network.weather = history.weather))
  for (const fault of history.faults) simulation.at(2_500 + fault.at, () => inflict(world, fault))
  const end = 2_500 + FAULTS_END
  simulation.runUntil(end)
  world.network.weather = CALM
  world.network.outages.clear()
  for (const member of world.members) {
    for (const process of [member.keeper, member.fetcher, member.uploader]) process.thaw()
  }
  simulation.runUntil(end + RECOVERY, () => world.isServing())
  if (!world.isServing()) world.promises.fail(`nobody serves ${RECOVERY / 100} s after the faults`)
  return world
}
