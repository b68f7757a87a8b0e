import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '@meili-ha/core/errors.ts'
import type { BootClock } from '@meili-ha/core/ha/boot-clock.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { parsePermit, permitsPrimary } from '@meili-ha/core/ha/permit.ts'
import { findMeilisearch, type ProcessId } from './find-meilisearch.ts'

/** As often as the shell's guard looks. */
const TICK_MS = 250
/** SIGTERM first; Meilisearch dies of it within 20 ms. */
const KILL_AFTER_CS = 200
/** Acts at the first tick at which the next would be too late. */
const SLACK_CS = 50

export type Kill = (pid: number, signal: NodeJS.Signals) => void

/**
 * `--stop signal`: does the guard's work from outside, in a shared process namespace. It stops every
 * Meilisearch that runs without a primary permit, and beats like the guard, so that the keeper's
 * decisions are the same. It can't hold Meilisearch down between restarts, nor survive the keeper.
 */
export class SignalGuard {
  readonly #ha: HaDir
  readonly #clock: BootClock
  readonly #log: Logger
  readonly #kill: Kill
  readonly #find: () => Promise<ProcessId[]>
  /** When each one was first told to end, by pid and start. */
  readonly #toldAt = new Map<string, number>()
  #life: Promise<void> | undefined
  #stopping = false

  constructor(
    ha: HaDir,
    clock: BootClock,
    log: Logger,
    kill: Kill,
    find: () => Promise<ProcessId[]> = findMeilisearch,
  ) {
    this.#ha = ha
    this.#clock = clock
    this.#log = log
    this.#kill = kill
    this.#find = find
  }

  start(): void {
    this.#life = this.#run()
  }

  /** From here on nobody stops a Meilisearch that its container starts again: see the README. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#life
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await this.tick().catch((error: unknown) => {
        this.#log.error({ event: 'signal_guard.failed', err: error }, messageOf(error))
      })
      await sleep(TICK_MS)
    }
  }

  /** One look: the clock first, then the permit, then the processes. */
  async tick(): Promise<void> {
    const now = this.#clock.now()
    const line = (await this.#ha.readLine('permit')) ?? '-'
    const permit = parsePermit(line)
    const permitted =
      permitsPrimary(permit, now, this.#clock.bootId()) && now + SLACK_CS < permit.termAt
    const running = await this.#find()
    const pid = running[0]?.pid ?? '-'
    const state = running.length > 0 ? 'running' : 'stopped'
    await this.#ha.writeLine('guard', `${state} ${pid} ${now} | ${line} | -`)
    if (permitted) this.#toldAt.clear()
    // A permit that ran out says when to kill; without one there is only the patience.
    const killAt = permit?.role === 'primary' ? permit.killAt - SLACK_CS : Number.POSITIVE_INFINITY
    if (!permitted) for (const process of running) this.#end(process, now, killAt)
  }

  #end({ pid, startedAt }: ProcessId, now: number, killAt: number): void {
    const id = `${pid}/${startedAt}`
    const toldAt = this.#toldAt.get(id)
    const signal = toldAt === undefined ? 'SIGTERM' : 'SIGKILL'
    if (toldAt !== undefined && now < Math.min(toldAt + KILL_AFTER_CS, killAt)) return
    if (toldAt === undefined) this.#toldAt.set(id, now)
    this.#log.warn({ event: 'signal_guard.signal', pid, signal }, `${signal} to Meilisearch`)
    try {
      this.#kill(pid, signal)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Gone meanwhile is what was wanted.
      if (code !== 'ESRCH') throw error
    }
  }
}
