import { MIB } from './bench.ts'
import { addGrowth, growthColumn } from './growth.ts'
import type { Cost } from './measure.ts'
import type { Row } from './recorder.ts'
import type { Column, Values } from './scenario.ts'

const WALL: Column = { name: 'wall', unit: 's', spread: true, ratio: true }

/** What a command costs that runs to its end. */
export const COST: readonly Column[] = [
  WALL,
  { name: 'CPU', unit: 's', ratio: true },
  { name: 'peak memory', unit: 'MiB', digits: 0, of: 'highest' },
]

export const DISK: Column = { name: 'disk', unit: 'x of the data', digits: 2, of: 'highest' }

export function costOf({ wallMs, cpuMs, peakBytes }: Cost): Values {
  return { wall: wallMs / 1000, CPU: cpuMs / 1000, 'peak memory': peakBytes / MIB }
}

/** 1 where twice the bytes take twice the time. */
export const WALL_GROWTH = growthColumn(WALL, 'of the smallest, per MiB')

export function perMiBGrowth(rows: readonly Row[]): void {
  addGrowth(rows, WALL, WALL_GROWTH, (what) => Number.parseInt(what, 10))
}
