import fc from 'fast-check'
import type { Service } from './network.ts'
import type { World } from './world.ts'

/** What goes wrong, when (centiseconds), to which member, for how long. */
export interface Fault {
  at: number
  kind: FaultKind
  member: number
  length: number
}

export const FAULT_KINDS = [
  'freeze keeper',
  'freeze fetcher',
  'freeze uploader',
  'freeze all but the guard',
  'kill keeper',
  'kill fetcher',
  'kill uploader',
  'crash meilisearch',
  'reboot',
  'partition from lease',
  'lease outage',
  'store outage',
  'partition from store',
  'pods outage',
  'slow answers',
  'delete record',
  'empty record',
  'edit holder',
  'edit duration',
  'restore record',
  'wall clock',
  'switchover',
  'terminate keeper',
  'drain',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

/** Faults happen in the first two minutes; then a history shows that it recovers. */
export const FAULTS_END = 12_000

export const faultOf = (kinds: readonly FaultKind[]): fc.Arbitrary<Fault> =>
  fc.record({
    at: fc.integer({ min: 100, max: FAULTS_END }),
    kind: fc.constantFrom(...kinds),
    member: fc.integer({ min: 0, max: 2 }),
    length: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 300, max: 4_000 })),
  })

export const anyFault = faultOf(FAULT_KINDS)

export function inflict(world: World, fault: Fault): void {
  const { simulation, network, register } = world
  const member = world.members[fault.member % world.members.length]!
  const cut = (key: Service | `${Service}:${string}`) =>
    network.outages.set(key, {
      until: simulation.now + fault.length,
      hangs: simulation.chance(0.5),
    })
  const { record } = register
  switch (fault.kind) {
    case 'freeze keeper':
      return member.keeper.freeze(fault.length)
    case 'freeze fetcher':
      return member.fetcher.freeze(fault.length)
    case 'freeze uploader':
      return member.uploader.freeze(fault.length)
    case 'freeze all but the guard':
      for (const process of [member.keeper, member.fetcher, member.uploader])
        process.freeze(fault.length)
      return
    case 'kill keeper':
      return member.keeper.alive && member.guard.alive ? world.startKeeper(member) : undefined
    case 'kill fetcher':
      return world.restart(member, 'fetcher')
    case 'kill uploader':
      return world.restart(member, 'uploader')
    case 'crash meilisearch':
      return world.meilisearchEnds(member)
    case 'reboot':
      return world.reboot(member, Math.min(fault.length, 2_000))
    case 'partition from lease':
      return void cut(`lease:${member.name}`)
    case 'lease outage':
      return void cut('lease')
    case 'store outage':
      return void cut('store')
    case 'partition from store':
      return void cut(`store:${member.name}`)
    case 'pods outage':
      return void cut('pods')
    case 'slow answers':
      return void network.slow.set(member.name, simulation.now + fault.length)
    case 'delete record':
      if (world.settings.standby === 'cold') world.promises.windBack()
      return register.remove()
    case 'empty record':
      if (world.settings.standby === 'cold') world.promises.windBack()
      if (record)
        register.put({ ...record, holder: null, epoch: 0, renewals: 0, released: null }, null)
      return
    case 'edit holder':
      if (record)
        register.put({ ...record, holder: simulation.pick([null, 'somebody/else'])! }, null)
      return
    case 'edit duration':
      if (record) register.put({ ...record, durationMs: 1 }, null)
      return
    case 'restore record': {
      const old = simulation.pick(
        register.past.filter(({ released }) => simulation.chance(released === null ? 0.1 : 1)),
      )
      if (old) register.put(old, null)
      return world.promises.windBack()
    }
    case 'wall clock':
      member.wallJump += simulation.pick([-3_600_000, 3_600_000])!
      return
    case 'switchover': {
      const to = simulation.pick([null, ...world.members.map(({ name }) => name)])!
      const request = { id: String(simulation.now), verb: 'switchover' as const, to }
      if (record) register.put({ ...record, request }, null)
      return
    }
    case 'terminate keeper':
      return world.terminateKeeper(member)
    case 'drain':
      member.ha.drain = member.guardClock()
  }
}
