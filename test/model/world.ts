import type { Permit } from '@meili-ha/core/ha/permit.ts'
import type { Settings } from '@meili-ha/lease-keeper/settings.ts'
import type { KeeperState } from '@meili-ha/lease-keeper/state.ts'
import { timingFor } from '@meili-ha/lease-keeper/timing.ts'
import { startFetcher } from './fetcher-model.ts'
import { startGuard } from './guard-model.ts'
import { startKeeper } from './keeper-model.ts'
import { emptyDirectory, Member, type Directory } from './member.ts'
import { Network } from './network.ts'
import { Promises } from './promises.ts'
import { LeaseRegister, Pods, SnapshotStore } from './services.ts'
import type { Simulation } from './simulation.ts'
import { startUploader } from './uploader-model.ts'
import type { Variation } from './variation.ts'

export type WorldSettings = Omit<
  Settings,
  'member' | 'uid' | 'nonce' | 'bootId' | 'bootstrap' | 'bootstrapIsOther'
>

export const USUAL: WorldSettings = {
  timing: timingFor(15_000),
  lease: 'shared',
  standby: 'warm',
  routing: 'labels',
  failover: 'auto',
  failoverDelay: 0,
  maxLossMs: null,
  unhealthyAfter: 1_000,
  catchUpTimeout: 1_500,
  drainLimit: 3_000,
}

export const FIXED: WorldSettings = { ...USUAL, lease: 'fixed-primary' }
export const COLD: WorldSettings = { ...USUAL, standby: 'cold' }

/** Several members, a lease, a bucket, an API server, clients: everything that a history happens in. */
export class World {
  readonly simulation: Simulation
  readonly variation: Variation
  readonly settings: WorldSettings
  readonly network: Network
  readonly register = new LeaseRegister()
  readonly pods = new Pods()
  readonly store = new SnapshotStore()
  readonly members: Member[]
  readonly promises: Promises
  readonly states = new Map<Member, KeeperState>()
  readonly #keepers = new Map<Member, { terminate: () => void }>()
  #writes = 0n
  #pid = 0

  constructor(
    simulation: Simulation,
    rates: { rate: number; guardOffset: number }[],
    variation: Variation,
    settings: WorldSettings = USUAL,
  ) {
    this.simulation = simulation
    this.variation = variation
    this.settings = settings
    this.network = new Network(simulation)
    this.members = rates.map(
      ({ rate, guardOffset }, index) => new Member(`m${index}`, simulation, rate, guardOffset),
    )
    this.promises = new Promises(this)
    this.register.onWrite = (record, last, by) => this.promises.leaseWritten(record, last, by)
    this.pods.onChange = () => this.promises.checkRoutes()
    this.store.onPut = (snapshot) => this.promises.published(snapshot)
    const volume = { live: emptyDirectory(), next: undefined, setAside: [] }
    for (const member of this.members) {
      if (settings.standby === 'cold') member.disk = volume
      this.pods.add(member.name)
      this.powerOn(member)
    }
    simulation.after(100, () => this.#write())
  }

  powerOn(member: Member): void {
    member.boots += 1
    member.bootedAt = this.simulation.now
    member.guard.start(() => startGuard(this, member))
    if (this.settings.standby === 'warm') {
      member.fetcher.start(() => startFetcher(this, member))
      member.uploader.start(() => startUploader(this, member))
    }
    this.startKeeper(member)
  }

  /** The host dies at once: `/ha` is forgotten, the disk and the pod's labels are not. */
  reboot(member: Member, downtime: number): void {
    for (const process of [member.keeper, member.fetcher, member.uploader, member.guard])
      process.kill()
    member.running = undefined
    member.ha = {}
    const { boots } = member
    this.simulation.after(downtime, () => member.boots === boots && this.powerOn(member))
  }

  startKeeper(member: Member): void {
    if (!member.guard.alive) return
    member.keeper.start(() => this.#keepers.set(member, startKeeper(this, member)))
  }

  restart(member: Member, which: 'fetcher' | 'uploader'): void {
    if (!member.guard.alive || this.settings.standby === 'cold') return
    const start = which === 'fetcher' ? startFetcher : startUploader
    member[which].start(() => start(this, member))
  }

  terminateKeeper(member: Member): void {
    this.#keepers.get(member)?.terminate()
  }

  seePhase(member: Member, state: KeeperState): void {
    this.states.set(member, state)
  }

  isHealthy({ running }: Member): boolean {
    return (
      running !== undefined && running.endsAt === null && running.readyAt <= this.simulation.now
    )
  }

  meilisearchStarts(member: Member, permit: Permit): void {
    this.#pid += 1
    const readyAt = this.simulation.now + this.simulation.between(5, 60)
    const { epoch } = permit
    const role = permit.role === 'primary' ? 'primary' : 'standby'
    member.running = { pid: this.#pid, role, epoch, readyAt, endsAt: null }
    if (role === 'primary') this.promises.leads(member, epoch)
    this.promises.checkRoutes()
  }

  meilisearchLeads(member: Member, permit: Extract<Permit, { role: 'primary' }>): void {
    member.running = { ...member.running!, role: 'primary', epoch: permit.epoch }
    this.promises.leads(member, permit.epoch)
    this.promises.checkRoutes()
  }

  /** SIGTERM: it stops soon, or only by SIGKILL. */
  meilisearchTold(member: Member): void {
    const slow = this.simulation.chance(0.3)
    const endsAt = slow ? Infinity : this.simulation.now + this.simulation.between(1, 60)
    member.running = { ...member.running!, endsAt }
  }

  meilisearchEnds(member: Member): void {
    member.running = undefined
  }

  destroys(member: Member, directory: Directory): void {
    this.promises.destroyed(member, directory)
  }

  /** A client writes about every second, wherever the label leads it; what is taken is acknowledged. */
  #write(): void {
    this.simulation.after(this.simulation.between(40, 160), () => this.#write())
    const member = this.simulation.pick(this.members.filter(({ name }) => this.pods.labelled(name)))
    const { running } = member ?? {}
    if (!member || running?.role !== 'primary' || running.readyAt > this.simulation.now) return
    const { live } = member.disk
    if (!live) return this.promises.fail('Meilisearch runs without its directory')
    const bit = 1n << this.#writes
    this.#writes += 1n
    member.disk.live = { ...live, content: live.content | bit }
  }

  /** One member leads, is routed to and takes writes. */
  isServing(): boolean {
    const leading = this.members.filter(({ running }) => running?.role === 'primary')
    const [member] = leading
    return leading.length === 1 && this.pods.labelled(member!.name) && this.isHealthy(member!)
  }
}
