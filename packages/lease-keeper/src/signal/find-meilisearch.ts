import { readdir, readFile } from 'node:fs/promises'

/** A process by pid and start time: the kernel may give the pid to another. */
export interface ProcessId {
  pid: number
  /** Clock ticks since boot, field 22 of /proc/PID/stat. */
  startedAt: string
}

/**
 * Every process named `meilisearch` in this process namespace, by /proc/PID/comm: its command line
 * can hold the master key and is never read. PID 1 is never one: signals to it may be lost, and
 * killing it ends the pod.
 */
export async function findMeilisearch(proc = '/proc'): Promise<ProcessId[]> {
  const pids = (await readdir(proc)).filter((name) => /^[0-9]+$/.test(name) && name !== '1')
  const found = await Promise.all(pids.map((pid) => identify(proc, pid)))
  return found.filter((process) => process !== undefined)
}

async function identify(proc: string, pid: string): Promise<ProcessId | undefined> {
  try {
    const comm = await readFile(`${proc}/${pid}/comm`, 'utf8')
    if (comm.trim() !== 'meilisearch') return undefined
    const stat = await readFile(`${proc}/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything; what follows the last one may not.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie is dead: its parent has only not looked yet.
    if (state === 'Z') return undefined
    return { pid: Number(pid), startedAt: fields[18] ?? '' }
  } catch {
    // It ended while it was looked at.
    return undefined
  }
}
