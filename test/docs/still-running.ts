import { readdirSync, readFileSync } from 'node:fs'
import type { NewUser } from './new-user.ts'

/** Command lines of what this user started and still runs: all of it inherited the user's TMPDIR. */
export function stillRunning({ env }: Pick<NewUser, 'env'>): string[] {
  const mark = `TMPDIR=${env['TMPDIR']}`
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(pid, 'environ').includes(mark))
    .map((pid) => read(pid, 'cmdline').join(' ').trim())
    .filter((command) => command !== '')
}

/** Empty for one that is gone meanwhile. */
function read(pid: string, file: 'environ' | 'cmdline'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0')
  } catch {
    return []
  }
}
