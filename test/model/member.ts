import type { GuardBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { Permit } from '@meili-ha/core/ha/permit.ts'
import type { Published, Sync } from '@meili-ha/core/ha/sync.ts'
import type { Content } from './services.ts'
import { Process, type Simulation } from './simulation.ts'

/** `/ha`: gone after a reboot. */
export interface Ha {
  permit?: { line: string; permit: Permit }
  data?: string
  beat?: GuardBeat
  want?: string
  sync?: Sync
  published?: Published
  drain?: number
  drained?: number
}

export interface Lineage {
  snapshotId: string | null
  tarball: string | null
  startedAt: string | null
  primaryIn: number[]
  claim: { epoch: number; of: string | null } | null
}

export interface Directory {
  lineage: Lineage
  content: Content
}

export const emptyDirectory = (): Directory => ({
  lineage: { snapshotId: null, tarball: 'empty', startedAt: null, primaryIn: [], claim: null },
  content: 0n,
})

export interface Disk {
  live: Directory | undefined
  /** Unpacked and complete. */
  next: Directory | undefined
  setAside: Content[]
}

/** The Meilisearch that the guard has started: as what, and since when. */
export interface Running {
  pid: number
  role: 'primary' | 'standby'
  epoch: number
  readyAt: number
  /** When it will have stopped, once it got SIGTERM. */
  endsAt: number | null
}

/** One machine: what its processes share. */
export class Member {
  readonly name: string
  readonly simulation: Simulation
  readonly keeper: Process
  readonly fetcher: Process
  readonly uploader: Process
  readonly guard: Process
  /** Boot centiseconds per true centisecond. */
  readonly rate: number
  /** How far the guard's clock is ahead of the others' (another container, another /proc/uptime). */
  readonly guardOffset: number
  ha: Ha = {}
  disk: Disk = { live: undefined, next: undefined, setAside: [] }
  running: Running | undefined
  boots = 0
  bootedAt = 0
  wallJump = 0

  constructor(name: string, simulation: Simulation, rate: number, guardOffset: number) {
    this.name = name
    this.simulation = simulation
    this.rate = rate
    this.guardOffset = guardOffset
    this.keeper = new Process(simulation)
    this.fetcher = new Process(simulation)
    this.uploader = new Process(simulation)
    this.guard = new Process(simulation)
  }

  get bootId(): string {
    return `b${this.boots}`.replace('b', 'b0')
  }

  boot(): number {
    // A machine has been up for a while when its containers start.
    return 1_000 + Math.floor((this.simulation.now - this.bootedAt) * this.rate)
  }

  guardClock(): number {
    return this.boot() + this.guardOffset
  }

  wall(): string {
    return new Date(1_800_000_000_000 + this.wallJump + this.simulation.now * 10).toISOString()
  }
}
