import type { BootClock } from '@meili-ha/core/ha/boot-clock.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import type { Pod } from '../event.ts'
import type { LeaseBackend } from '../lease/lease.ts'
import type { Report } from './report.ts'

/** The labels of pods, where routing follows them. */
export interface PodSite {
  readOwn(): Promise<Pod>
  patchOwn(change: {
    version: string
    primary: boolean
    reads: boolean
    mark: string
  }): Promise<Pod>
  stripOthers(mark: string): Promise<void>
}

/** Everything that a keeper acts on; tests put their own in its place. */
export interface Site {
  ha: HaDir
  clock: BootClock
  /** ISO 8601, for people. */
  wall: () => string
  /** Undefined with fixed roles: there is nobody to ask. */
  lease: LeaseBackend | undefined
  /** Undefined where routers ask over HTTP. */
  pods: PodSite | undefined
  report: (report: Report) => void
}
