import { formatPermit, type Permit } from '@meili-ha/core/ha/permit.ts'
import type { Member } from './member.ts'
import type { World } from './world.ts'

const TICK = 25
const LONGEST = 30_000

/** docker/guard.sh, as design section 5 says it: four looks a second, and never later than the permit. */
export function startGuard(world: World, member: Member): void {
  let killAt: number | null = null
  let restarted = 0
  const margin = world.variation.slips.has('guard waits for the deadline') ? -200 : TICK

  const mayRun = (permit: Permit | undefined, now: number) => {
    if (!permit || permit.bootId !== member.bootId || !member.ha.data?.startsWith('ready'))
      return false
    if (permit.role !== 'primary') return permit.role === 'standby'
    return now + margin < permit.termAt && permit.killAt - now <= LONGEST
  }

  const tick = () => {
    member.guard.after(Math.ceil(TICK / member.rate), tick)
    const now = member.guardClock()
    const { permit } = member.ha.permit ?? {}
    const permitLine = member.ha.permit?.line ?? '-'
    const dataLine = member.ha.data ?? '-'
    const { running } = member
    if (running?.endsAt != null && member.simulation.now >= running.endsAt)
      world.meilisearchEnds(member)
    if (member.running) judge(permit, now)
    world.promises.checkDeadline(member)
    const state = member.running ? 'running' : 'stopped'
    const pid = member.running?.pid ?? null
    const data = dataLine.startsWith('ready')
      ? { state: 'ready' as const, snapshotId: null }
      : { state: 'closed' as const, nonce: dataLine.slice(7) }
    member.ha.beat = { state, pid, now, permitLine, dataLine, permit, data }
    if (!member.running && mayRun(permit, now) && member.disk.live && restarted <= now) {
      killAt = null
      restarted = now + 20
      world.meilisearchStarts(member, permit!)
    }
  }

  const judge = (permit: Permit | undefined, now: number) => {
    const running = member.running!
    const same =
      permit?.role === 'primary'
        ? running.role === 'standby' || running.epoch === permit.epoch
        : permit?.role === running.role
    if (same && mayRun(permit, now)) {
      if (permit?.role === 'primary' && running.role === 'standby')
        world.meilisearchLeads(member, permit)
      return
    }
    const expiring = permit?.role === 'primary' && same && permit.bootId === member.bootId
    if (running.endsAt === null) {
      world.meilisearchTold(member)
      killAt = now + 200
    }
    const limit = expiring && member.ha.data?.startsWith('ready') ? permit.killAt : (killAt ?? now)
    if (now + margin >= limit) world.meilisearchEnds(member)
  }
  member.guard.after(1, tick)
}

export const linesOf = (permit: Permit) => ({ line: formatPermit(permit), permit })
