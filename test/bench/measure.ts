import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a process cost, as the kernel counts it. */
export interface Cost {
  wallMs: number
  /** User and system time. */
  cpuMs: number
  /** The highest resident set. */
  peakBytes: number
  /** The most that lay on disk below `disk`, where that was asked for. */
  diskBytes: number
}

export type Command = readonly [string, ...string[]]

/** Short enough that little is missed of a process's last moments, long enough to cost nothing. */
const EVERY_MS = 10

/** Nothing that is worth comparing takes longer; rclone was seen sending 4 GiB again and again. */
const LONGEST_MS = 300_000

/** Adding up files costs more. */
const DISK_EVERY_MS = 100

/**
 * Runs a command to its end. Memory is /proc's high-water mark: whatever is missed between two looks
 * shows in the next.
 * @throws when it fails or takes minutes, with what it said
 */
export async function measure(
  command: Command,
  env: NodeJS.ProcessEnv,
  disk?: string,
): Promise<Cost> {
  const [file, ...args] = command
  const began = performance.now()
  const child = spawn(file, args, {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  let wallMs = 0
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => (wallMs = performance.now() - began))
    child.once('close', resolve)
  })
  ended.catch(() => {})
  const cost = { cpuMs: 0, peakBytes: 0, diskBytes: 0 }
  let looked = -Infinity
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    Object.assign(cost, processCost(child.pid))
    if (disk !== undefined && performance.now() - looked > DISK_EVERY_MS) {
      cost.diskBytes = Math.max(cost.diskBytes, bytesBelow(disk))
      looked = performance.now()
    }
    await sleep(EVERY_MS)
  }
  if ((await ended) !== 0) {
    const how = wallMs > LONGEST_MS ? `was ended after ${LONGEST_MS / 1000} s` : 'failed'
    throw new Error(`${command.join(' ')} ${how}:\n${said}`)
  }
  return { wallMs, ...cost }
}

/** Runs commands one after the other, as one would in a script. */
export async function measureAll(
  commands: readonly Command[],
  env: NodeJS.ProcessEnv,
  disk?: string,
): Promise<Cost> {
  const sum: Cost = { wallMs: 0, cpuMs: 0, peakBytes: 0, diskBytes: 0 }
  for (const command of commands) {
    const { wallMs, cpuMs, peakBytes, diskBytes } = await measure(command, env, disk)
    sum.wallMs += wallMs
    sum.cpuMs += cpuMs
    sum.peakBytes = Math.max(sum.peakBytes, peakBytes)
    sum.diskBytes = Math.max(sum.diskBytes, diskBytes)
  }
  return sum
}

/** What files take on the disk, in a directory and all below it; what vanishes meanwhile counts nothing. */
export function bytesBelow(directory: string): number {
  let bytes = 0
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) bytes += bytesBelow(path)
      else bytes += (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512
    }
  } catch {
    // It is gone.
  }
  return bytes
}

/** What a process has cost so far; undefined when it is gone, or about to be. */
export function processCost(pid: number): Pick<Cost, 'cpuMs' | 'peakBytes'> | undefined {
  try {
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // After the name, which may hold anything: state is field 3, utime and stime are 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    // A tick is 10 ms on every Linux.
    return peak ? { cpuMs: ticks * 10, peakBytes: Number(peak[1]) * 1024 } : undefined
  } catch {
    return undefined
  }
}
