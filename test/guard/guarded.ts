import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { type GuardBeat, parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import { formatPermit } from '@meili-ha/core/ha/permit.ts'
import { test } from 'vitest'
import type { Shell } from './shells.ts'

const fake = fileURLToPath(new URL('fake-meilisearch.sh', import.meta.url))

/** The script under test; GUARD_SCRIPT names a broken one, to see the tests fail. */
export const script =
  process.env['GUARD_SCRIPT'] ?? fileURLToPath(new URL('../../docker/guard.sh', import.meta.url))

export const bootId = systemBootClock.bootId()

export interface Options {
  /** What the fake Meilisearch does (fake-meilisearch.sh). */
  mode?: string[]
  command?: string[]
  env?: Record<string, string>
  /** Put before the shell, such as `unshare --mount …`; it must `exec` the rest. */
  wrap?: string[]
  stderr?: 'pipe' | number
  /** What lies in /ha before it starts, a line each. */
  found?: Record<string, string>
}

/** One real guard in a directory of its own, ended with the test. */
export class Guarded {
  readonly home = mkdtempSync(join(tmpdir(), 'guard-'))
  readonly dir = join(this.home, 'ha')
  readonly child: ChildProcess
  readonly ended: Promise<number | string>
  readonly shell: Shell
  stderr = ''

  constructor(shell: Shell, options: Options = {}) {
    this.shell = shell
    mkdirSync(this.dir)
    for (const [file, line] of Object.entries(options.found ?? {})) this.write(file, line)
    const command = options.command ?? [fake, ...(options.mode ?? ['run'])]
    const [file, ...args] = [...(options.wrap ?? []), ...shell.argv, script, ...command]
    this.child = spawn(file as string, args, {
      env: { ...process.env, ...this.env, ...options.env },
      stdio: ['ignore', 'ignore', options.stderr ?? 'pipe'],
    })
    this.child.stderr?.on('data', (chunk) => (this.stderr += chunk))
    this.ended = new Promise((resolve) =>
      this.child.once('close', (code, signal) => resolve(code ?? (signal as string))),
    )
  }

  get env(): Record<string, string> {
    return { MEILI_HA_DIR: this.dir, FAKE_DIR: this.home, FAKE_NODE: process.execPath }
  }

  /** Writes a file as its owner does, by rename; null removes it. */
  write(file: string, line: string | null): void {
    const path = join(this.dir, file)
    if (line === null) return rmSync(path, { force: true })
    writeFileSync(`${path}.new`, `${line}\n`)
    renameSync(`${path}.new`, path)
  }

  permit(line: string | null): void {
    this.write('permit', line)
  }

  data(line: string | null): void {
    this.write('data', line)
  }

  /** A primary permit from now on; times in centiseconds. */
  primary(epoch: number, term: number, kill: number): { termAt: number; killAt: number } {
    const now = systemBootClock.now()
    const times = { termAt: now + term, killAt: now + kill }
    this.permit(formatPermit({ role: 'primary', epoch, ...times, bootId }))
    return times
  }

  role(role: 'standby' | 'stop', epoch = 1): void {
    this.permit(formatPermit({ role, epoch, bootId }))
  }

  beat(): GuardBeat | undefined {
    return parseBeat(this.read('guard').trimEnd())
  }

  read(file: string): string {
    try {
      return readFileSync(join(this.dir, file), 'utf8')
    } catch {
      return ''
    }
  }

  /** The pids under which Meilisearch was started, oldest first. */
  starts(): number[] {
    return this.read('../starts').split('\n').filter(Boolean).map(Number)
  }

  /** Whether a Meilisearch that this guard started lives, as the kernel says. */
  runs(): boolean {
    return this.starts().some(isAlive)
  }

  async running(): Promise<number> {
    await until(() => this.beat()?.state === 'running' && this.runs(), 'Meilisearch runs')
    return this.starts().at(-1) as number
  }

  /**
   * Resolves when a Meilisearch, else the one started last, is dead; when it was last seen alive, in
   * centiseconds of boot time: true even if this process was late to look.
   */
  async dead(pid = this.starts().at(-1) as number): Promise<number> {
    let alive = 0
    await until(() => {
      const now = systemBootClock.now()
      if (!isAlive(pid)) return true
      alive = now
      return false
    }, 'Meilisearch is dead')
    return alive
  }

  async stopped(): Promise<void> {
    await until(() => this.beat()?.state === 'stopped', 'the guard says stopped')
  }

  /** Two full looks of the guard from now on: what it didn't do by then it doesn't do. */
  async looks(): Promise<void> {
    const since = systemBootClock.now() + 40
    await until(() => (this.beat()?.now ?? 0) > since, 'the guard has looked again')
  }

  end(): void {
    for (const pid of this.starts()) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    this.child.kill('SIGKILL')
    rmSync(this.home, { recursive: true, force: true })
  }
}

/** `it`, with a `start` that runs guards under this shell and ends them with the test. */
export const guardedTest = (shell: Shell) =>
  test.extend<{ start: (options?: Options) => Guarded }>({
    // oxlint-disable-next-line no-empty-pattern -- vitest reads what it depends on from here
    start: async ({}, use) => {
      const all: Guarded[] = []
      await use((options) => {
        const guarded = new Guarded(shell, options)
        all.push(guarded)
        return guarded
      })
      for (const guarded of all) guarded.end()
    },
  })

export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

/** Waits for a condition, looking every 5 ms; throws what was hoped for after `ms`. */
export async function until(condition: () => boolean, hope: string, ms = 8_000): Promise<void> {
  const deadline = performance.now() + ms
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${hope}`)
    await pause(5)
  }
}
