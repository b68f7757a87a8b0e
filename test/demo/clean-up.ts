import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endAll } from '../harness/process.ts'

/** What a shell reports for a program that a signal ended. */
const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** How long work that reaches beyond this machine may take when a person has no more patience. */
const LAST_WORK_MS = 10_000

/** However the demo ends, nothing of it stays behind: no process, no file, no object in a bucket. */
export interface CleanUp {
  /** Work that must be done when a signal comes, such as emptying a prefix. */
  before(work: () => Promise<void>): void
  /** What waits for Ctrl-C: from now on a signal is no failure. */
  expectSignal(): void
}

/**
 * Everything temporary of this process and of those that it starts goes into one directory, which is
 * removed at the exit, after all processes were killed. Both happen within one turn: what is under way
 * elsewhere in the demo can't start or write anything in between.
 */
export function cleanUpAtExit(): CleanUp {
  const root = mkdtempSync(join(tmpdir(), 'meili-ha-demo-'))
  process.env['TMPDIR'] = root
  process.once('exit', () => {
    endAll()
    // One that was just killed may still be putting its last file there.
    rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  })
  const works: (() => Promise<void>)[] = []
  let expected = false
  const end = async (signal: keyof typeof CODES) => {
    process.stdout.write(`\n${signal}: cleaning up\n`)
    endAll()
    setTimeout(() => process.exit(CODES[signal]), LAST_WORK_MS).unref()
    await Promise.allSettled(works.map((work) => work()))
    process.exit(expected ? undefined : CODES[signal])
  }
  for (const signal of Object.keys(CODES) as (keyof typeof CODES)[]) {
    // The harness ends a stuck worker of the tests by itself; here it must not end before the work.
    process.removeAllListeners(signal)
    process.once(signal, () => void end(signal))
  }
  return {
    before: (work) => void works.push(work),
    expectSignal: () => void (expected = true),
  }
}
