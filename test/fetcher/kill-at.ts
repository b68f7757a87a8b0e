import fsp from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/**
 * Preloaded into a real program (`node --import`): kills it with -9 just before its n-th step that
 * changes the data directory (KILL_AT=n).
 */
const at = Number(process.env['KILL_AT'] ?? Infinity)
let steps = 0

function hook(name: 'open' | 'mkdir' | 'rename' | 'rm'): void {
  const real = fsp[name] as (...args: unknown[]) => Promise<unknown>
  const hooked = async (...args: unknown[]) => {
    if (!String(args[0]).includes('data.ms')) return real(...args)
    steps += 1
    if (steps === at) process.kill(process.pid, 'SIGKILL')
    return real(...args)
  }
  Object.assign(fsp, { [name]: hooked })
}

for (const name of ['open', 'mkdir', 'rename', 'rm'] as const) hook(name)
syncBuiltinESMExports()
