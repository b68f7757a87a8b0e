import fc from 'fast-check'
import { anyFault, faultOf, FAULTS_END, inflict, type Fault, type FaultKind } from './faults.ts'
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

export interface Temptation {
  kinds: readonly FaultKind[]
  members?: History['members']
  weather?: Partial<Weather>
  cold?: boolean
  /** Happens in every such history, a little earlier or later. */
  plot?: readonly Fault[]
}

/** Histories of the kind in which a certain mistake shows soon. */
export function temptation({ kinds, members, weather, cold, plot = [] }: Temptation) {
  const random = fc.array(faultOf(kinds), {
    minLength: plot.length > 0 ? 0 : 6,
    maxLength: plot.length > 0 ? 2 : 14,
  })
  const jitter = fc.array(fc.integer({ min: -100, max: 100 }), {
    minLength: plot.length,
    maxLength: plot.length,
  })
  return fc
    .record({ base: anyHistory, random, jitter })
    .map(({ base, random: some, jitter: by }): History => {
      const planned = plot.map((fault, index) => ({ ...fault, at: fault.at + by[index]! }))
      return {
        seed: base.seed,
        members: members ?? base.members,
        weather: { ...CALM, ...weather },
        faults: [...planned, ...some],
        cold: cold ?? base.cold,
      }
    })
}

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
  world.network.slow.clear()
  for (const member of world.members) {
    for (const process of [member.keeper, member.fetcher, member.uploader]) process.thaw()
  }
  simulation.runUntil(end + RECOVERY, () => world.isServing())
  if (!world.isServing()) world.promises.fail(`nobody serves ${RECOVERY / 100} s after the faults`)
  return world
}
