import { permitsPrimary } from '@meili-ha/core/ha/permit.ts'
import { formatWant } from '@meili-ha/core/ha/want.ts'
import type { Action } from '@meili-ha/lease-keeper/action.ts'
import { decide } from '@meili-ha/lease-keeper/decide.ts'
import type { Event } from '@meili-ha/lease-keeper/event.ts'
import type { VersionedRecord } from '@meili-ha/lease-keeper/lease/lease.ts'
import { RULES } from '@meili-ha/lease-keeper/rules.ts'
import type { Settings } from '@meili-ha/lease-keeper/settings.ts'
import { startingState } from '@meili-ha/lease-keeper/state.ts'
import { linesOf } from './guard-model.ts'
import type { Member } from './member.ts'
import type { World } from './world.ts'

const TICK = 40

/** The runtime around `decide`: one event at a time, its actions in order, an await before each. */
export function startKeeper(world: World, member: Member): { terminate: () => void } {
  const { simulation, network, register, pods } = world
  const process = member.keeper
  const settings: Settings = {
    ...world.settings,
    member: member.name,
    uid: `uid-${member.name}`,
    nonce: `n${simulation.between(1, 1e9)}`,
    bootId: member.bootId,
    bootstrap: member === world.members[0],
    bootstrapIsOther: member !== world.members[0],
    // With fixed roles the first member leads.
    ...(world.settings.lease !== 'shared' && {
      lease: member === world.members[0] ? 'fixed-primary' : 'fixed-standby',
    }),
  }
  const rules = { ...RULES, ...world.variation.rules }
  const old = member.ha.permit?.permit
  const inForce = permitsPrimary(old, member.boot(), member.bootId) ? old : null
  let state = startingState(member.boot(), inForce, old?.epoch ?? 0)
  const events: Event[] = []
  let busy = false
  let exiting = false

  const take = (event: Event) => {
    events.push(event)
    if (!busy) next()
  }
  const next = () => {
    const event = events.shift()
    busy = event !== undefined && !exiting
    if (!event || exiting) return
    const now = { boot: member.boot(), wall: member.wall() }
    const decision = decide(settings, state, event, now, rules)
    state = decision.state
    world.seePhase(member, state)
    carryOut(decision.actions, 0)
  }
  const carryOut = (actions: Action[], from: number) => {
    let index = from
    while (actions[index]?.type === 'report') index += 1
    const action = actions[index]
    if (!action) {
      next()
      return
    }
    process.after(simulation.between(0, 1), () => {
      perform(action)
      carryOut(actions, index + 1)
    })
  }

  const caller = { member: member.name, process }
  const timeout = Math.ceil(settings.timing.requestTimeout / member.rate)
  const ask = (sentAt: number, apply: () => VersionedRecord | undefined) =>
    network.call('lease', caller, timeout, apply, (result) => {
      if (typeof result === 'object') take({ type: 'leaseAnswered', sentAt, found: result.ok })
      else {
        const failure = result === 'refused' ? 'conflict' : 'unknown'
        take({ type: 'leaseFailed', sentAt, failure })
      }
    })
  const took = (sentAt: number, written: VersionedRecord) => {
    if (member.bootId === settings.bootId) world.promises.renewed(member, sentAt)
    return written
  }
  const askPod = (apply: () => ReturnType<typeof pods.read>) =>
    network.call('pods', caller, timeout, apply, (result) =>
      take(
        typeof result === 'object'
          ? { type: 'podAnswered', pod: result.ok }
          : { type: 'podFailed' },
      ),
    )

  const perform = (action: Action): void => {
    const { name } = member
    const { slips } = world.variation
    switch (action.type) {
      case 'readLease':
        return ask(action.sentAt, () => register.read())
      case 'createLease':
        return ask(action.sentAt, () => took(action.sentAt, register.create(action.record, name)))
      case 'updateLease':
        return ask(action.sentAt, () =>
          took(action.sentAt, register.update(action.record, action.version, name)),
        )
      case 'writePermit':
        member.ha.permit = linesOf(action.permit)
        return
      case 'writeData':
        member.ha.data = 'ready -'
        return
      case 'writeWant':
        member.ha.want = formatWant(action.want)
        return
      case 'readPod':
        return askPod(() => pods.read(name))
      case 'patchPod': {
        const { primary, reads, version } = action
        const mark = slips.has('strip leaves the version') ? '' : action.mark
        const named = () => (slips.has('label without version') ? pods.read(name).version : version)
        return askPod(() => pods.patch(name, named(), { primary, reads, mark }))
      }
      case 'stripOthers': {
        const mark = slips.has('strip leaves the version') ? '' : action.mark
        const strip = () => {
          for (const other of world.members) {
            if (other === member) continue
            pods.patch(other.name, pods.read(other.name).version, { primary: false, mark })
          }
        }
        return network.call('pods', caller, timeout, strip, (result) =>
          take({ type: 'othersStripped', ok: typeof result === 'object' }),
        )
      }
      case 'writeDrained':
        member.ha.drained = action.askedAt
        return
      case 'exit':
        exiting = true
        process.kill()
        // The container is started again.
        simulation.after(simulation.between(10, 300), () => world.startKeeper(member))
    }
  }

  let ticks = 0
  let seen: unknown[] = []
  const tick = () => {
    process.after(Math.ceil(TICK / member.rate), tick)
    ticks += 1
    const { beat, sync, published, drain } = member.ha
    take({ type: 'guardSeen', beat })
    if (sync !== seen[0]) take({ type: 'syncSeen', sync })
    if (published !== seen[1]) take({ type: 'publishedSeen', published })
    if (drain !== undefined && drain !== seen[2]) take({ type: 'drainAsked', askedAt: drain })
    seen = [sync, published, drain]
    if (ticks % 5 === 0) take({ type: 'healthSeen', healthy: world.isHealthy(member) })
  }
  process.after(1, tick)
  return { terminate: () => process.after(1, () => take({ type: 'terminated' })) }
}
