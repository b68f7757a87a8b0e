import type { BootClock } from '@meili-ha/core/ha/boot-clock.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import type { RestoreOptions } from '../restore.ts'
import type { FollowMetrics } from './follow-metrics.ts'
import type { Gate } from './gate.ts'
import type { MeilisearchWatch } from './watch-meilisearch.ts'

export interface FollowOptions extends Omit<RestoreOptions, 'engine'> {
  ha: HaDir
  /** A lease-keeper says in `want` what to do; without one it swaps by itself. */
  keeper: boolean
  clock: BootClock
  gate: Gate
  watch: MeilisearchWatch
  metrics: FollowMetrics
  /** `--engine-version`, else what the guard found; read at every turn, as it may be upgraded. */
  engine: () => Promise<string | undefined>
  pollMs: number
  /** 0 = each new snapshot. */
  swapEveryMs: number
  /** Milliseconds of a monotonic clock. */
  monotonic: () => number
  /** Ends early, and quietly, when the program is told to stop. */
  sleep: (ms: number) => Promise<void>
  /** The same, and early too when the keeper wants something else; `toldMs` while the kernel tells of that. */
  rest: (ms: number, toldMs: number) => Promise<unknown>
}
