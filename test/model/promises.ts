import type { LeaseRecord } from '@meili-ha/lease-keeper/lease/lease.ts'
import type { Directory, Member } from './member.ts'
import { holdsAll, newestOf, type Content, type Snapshot } from './services.ts'
import type { World } from './world.ts'

export class BrokenPromise extends Error {}

/**
 * What must hold at every instant of every history:
 * - no two Meilisearch run as primary at once, and epochs of primaries only grow;
 * - no Meilisearch leads beyond kill-at, counted from the sending of the last renewal;
 * - no Meilisearch that a primary's label leads to runs without a primary permit;
 * - a released lease means a dead Meilisearch, and a drained one had published every write;
 * - whoever leads holds everything that was published by its chain before it took the lease;
 * - an epoch's claim is its first manifest;
 * - no acknowledged write is destroyed that isn't published or set aside.
 */
export class Promises {
  readonly #world: World
  #woundBack = false
  readonly #sentAt = new Map<string, number>()
  #highest: { epoch: number; member: Member } | undefined
  /** What the newest snapshot held when the lease was taken for an epoch. */
  readonly #due = new Map<number, Content>()
  terms = 0
  drained = 0

  constructor(world: World) {
    this.#world = world
  }

  fail(what: string): never {
    throw new BrokenPromise(`at ${this.#world.simulation.now / 100} s: ${what}`)
  }

  /**
   * A person put an older record back, or removed the only one there is (cold): no program can know of
   * terms that only that record told of. Their epochs may come again; nothing else may break.
   */
  windBack(): void {
    this.#woundBack = true
  }

  leads(member: Member, epoch: number): void {
    for (const other of this.#world.members) {
      if (other !== member && other.running?.role === 'primary') {
        this.fail(`${member.name} (${epoch}) and ${other.name} (${other.running.epoch}) both lead`)
      }
    }
    const last = this.#highest
    // With fixed roles nobody else ever leads: after a reboot in an outage the one who does may repeat itself.
    const grows = !this.#woundBack && this.#world.settings.lease === 'shared'
    if (grows && last && (epoch < last.epoch || (epoch === last.epoch && member !== last.member))) {
      this.fail(`${member.name} leads in ${epoch} after ${last.member.name} in ${last.epoch}`)
    }
    if (last?.epoch !== epoch) this.terms += 1
    this.#highest = { epoch, member }
    const content = member.disk.live?.content ?? this.fail('it leads without a directory')
    if (!holdsAll(content, this.#due.get(epoch) ?? 0n)) {
      this.fail(`${member.name} leads in ${epoch} without published writes`)
    }
  }

  /** A write of the lease that took effect, sent at `sentAt` (the member's boot clock). */
  renewed(member: Member, sentAt: number): void {
    const key = `${member.name} ${member.bootId}`
    this.#sentAt.set(key, Math.max(sentAt, this.#sentAt.get(key) ?? 0))
  }

  /** Whatever the guard's clock says, kill-at counts from the sending of the last renewal. */
  checkDeadline(member: Member): void {
    const { settings } = this.#world
    if (member.running?.role !== 'primary' || settings.lease !== 'shared') return
    const sentAt = this.#sentAt.get(`${member.name} ${member.bootId}`) ?? -Infinity
    const over = member.boot() - sentAt - settings.timing.killAt
    if (over > 2) this.fail(`${member.name} leads ${over / 100} s past its deadline`)
  }

  checkRoutes(): void {
    for (const { name, running } of this.#world.members) {
      if (running && running.role !== 'primary' && this.#world.pods.labelled(name)) {
        this.fail(`${name} is routed to as primary and runs as ${running.role}`)
      }
    }
  }

  leaseWritten(record: LeaseRecord, last: LeaseRecord | undefined, by: string | null): void {
    if (by === null) return
    if (record.holder !== null && record.epoch !== last?.epoch) {
      const newest = newestOf(this.#world.store.manifests)
      this.#due.set(record.epoch, newest?.content ?? 0n)
    }
    if (record.holder === null && record.released !== null) this.#released(record, by)
  }

  #released(record: LeaseRecord, by: string): void {
    const member = this.#world.members.find(({ name }) => name === by)!
    if (member.running?.role === 'primary') this.fail(`${by} released while its Meilisearch runs`)
    const final = this.#world.store.manifests.find(
      (one) => one.final && one.epoch === record.released,
    )
    if (!final) return
    this.drained += 1
    if (!holdsAll(final.content, member.disk.live?.content ?? 0n)) {
      this.fail(`${by} drained, and its final snapshot lacks acknowledged writes`)
    }
  }

  published({ id, epoch, seq }: Snapshot): void {
    const claimed = this.#world.store.manifests.some((one) => one.epoch === epoch && one.seq === 0)
    if (seq > 0 && !claimed) this.fail(`${id} is published before its epoch's claim`)
  }

  destroyed(member: Member, directory: Directory): void {
    let kept = 0n
    for (const { content } of this.#world.store.manifests) kept |= content
    for (const { disk } of this.#world.members) for (const content of disk.setAside) kept |= content
    if (!holdsAll(kept, directory.content)) {
      this.fail(`${member.name} destroys acknowledged writes that nobody else holds`)
    }
  }
}
