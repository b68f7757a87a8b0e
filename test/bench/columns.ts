import { MIB } from './bench.ts'
import type { Cost } from './measure.ts'
import type { Column, Values } from './scenario.ts'

/** What a command costs that runs to its end. */
export const COST: readonly Column[] = [
  { name: 'wall', unit: 's', spread: true, ratio: true },
  { name: 'CPU', unit: 's', ratio: true },
  { name: 'peak memory', unit: 'MiB', digits: 0, of: 'highest' },
]

export const DISK: Column = { name: 'disk', unit: 'x of the data', digits: 2, of: 'highest' }

export function costOf({ wallMs, cpuMs, peakBytes }: Cost): Values {
  return { wall: wallMs / 1000, CPU: cpuMs / 1000, 'peak memory': peakBytes / MIB }
}
