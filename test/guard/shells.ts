import { execFileSync } from 'node:child_process'
import { describe, vi } from 'vitest'
import { guardedTest } from './guarded.ts'

/** A POSIX shell that the guard must behave the same under. */
export interface Shell {
  name: string
  argv: readonly [string, ...string[]]
}

const wanted: Shell[] = [
  { name: 'busybox ash', argv: ['busybox', 'ash'] },
  { name: 'dash', argv: ['dash'] },
  { name: 'bash', argv: ['bash', '--posix'] },
]

function installed({ argv: [file, ...args] }: Shell): boolean {
  try {
    execFileSync(file, [...args, '-c', ':'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The shells to test: all that are installed, or the ones that GUARD_SHELLS names (comma-separated). */
export const shells: Shell[] = wanted.filter(
  ({ name }) => process.env['GUARD_SHELLS']?.split(',').includes(name) ?? true,
)

type GuardedTest = ReturnType<typeof guardedTest>

/** One suite per shell, its cases side by side; a shell that is missing is skipped aloud. */
export function underEachShell(title: string, suite: (it: GuardedTest) => void): void {
  vi.setConfig({ maxConcurrency: 8 })
  for (const shell of shells) {
    const missing = !installed(shell)
    if (missing) console.warn(`SKIPPED under ${shell.name}, which is not installed: ${title}`)
    describe.skipIf(missing).concurrent(`${title}, under ${shell.name}`, () => {
      suite(guardedTest(shell))
    })
  }
}

/** Whether this machine lets us give a process its own mounts and PIDs (root, or a kind container). */
export const canUnshare = (() => {
  try {
    execFileSync('unshare', ['--mount', '--pid', '--fork', '--mount-proc', 'true'], {
      stdio: 'ignore',
    })
    return true
  } catch {
    console.warn('SKIPPED: whatever needs unshare(1) with mounts and PIDs; run as root to see it')
    return false
  }
})()
