import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { MIB } from './bench.ts'
import { processCost } from './measure.ts'

/** What processes take while nothing happens. */
export interface Idle {
  RSS: number
  /** Pages that several processes share (Node's own binary) divided among them. */
  PSS: number
  /** Percent of a core. */
  CPU: number
}

/** Watches processes that idle for so many seconds; one entry each, in their order. */
export async function watchIdle(pids: readonly number[], seconds: number): Promise<Idle[]> {
  const before = pids.map((pid) => processCost(pid)?.cpuMs ?? NaN)
  await sleep(seconds * 1000)
  return Promise.all(
    pids.map(async (pid, i) => {
      const cpuMs = (processCost(pid)?.cpuMs ?? NaN) - (before[i] ?? NaN)
      return { ...(await memoryOf(pid)), CPU: cpuMs / seconds / 10 }
    }),
  )
}

export function sum(all: readonly Idle[]): Idle {
  const add = (what: keyof Idle) => all.reduce((total, one) => total + one[what], 0)
  return { RSS: add('RSS'), PSS: add('PSS'), CPU: add('CPU') }
}

async function memoryOf(pid: number): Promise<Pick<Idle, 'RSS' | 'PSS'>> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kib = (what: string) => Number(new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1])
  return { RSS: (kib('Rss') * 1024) / MIB, PSS: (kib('Pss') * 1024) / MIB }
}
