import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startProgram, type RunningProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import { cliOf } from '../uploader/programs.ts'
import { assertRestorable, assertWholeOrAbsent } from './assertions.ts'
import { rotateIn, type Original } from './originals.ts'
import type { Random } from './random.ts'
import type { TroubledStore } from './troubled-store.ts'

/** One member's data path, and everything that may befall it. */
export class Chaos {
  readonly made: readonly Original[]
  readonly dir: string
  readonly store: TroubledStore
  readonly random: Random
  readonly tally = { kills: 0, listed: 0, restored: 0, unfinished: 0 }
  newest: Original | undefined

  constructor(made: readonly Original[], dir: string, store: TroubledStore, random: Random) {
    this.made = made
    this.dir = dir
    this.store = store
    this.random = random
  }

  uploader(): RunningProcess {
    const args = [
      ...['run', '--store', this.store.url, '--data-dir', join(this.dir, 'm'), '--listen', 'off'],
      ...['--member', 'm1', '--keep-last', '3', '--keep-daily', '0', '--sweep-grace', '2s'],
    ]
    const env = { ...this.store.env, MEILI_HA_MEILI_URL: 'http://127.0.0.1:9' }
    return startProgram(cliOf('uploader'), args, { env })
  }

  restore(): RunningProcess {
    const data = join(this.dir, 'r')
    const args = ['restore', '--store', this.store.url, '--data-dir', data, '--if-none', 'fail']
    return startProgram(cliOf('fetcher'), args, { env: this.store.env })
  }

  async rotate(): Promise<void> {
    this.newest = this.random.pick(this.made.filter((one) => one !== this.newest))
    await rotateIn(this.newest, join(this.dir, 'm/snapshots'))
  }

  /** Snapshots come and go, the uploader is killed at any moment, and started again. */
  async publishLoop(end: number): Promise<void> {
    while (performance.now() < end) {
      await using child = this.uploader()
      const killAt = performance.now() + this.random.between(800, 6000)
      while (performance.now() < Math.min(killAt, end)) {
        if (this.random.percent(20)) this.store.trouble()
        if (this.random.percent(40)) await this.rotate()
        await sleep(this.random.between(20, 500))
      }
      await child.kill('SIGKILL')
      this.tally.kills += 1
      this.tally.listed = Math.max(this.tally.listed, await assertRestorable(this.store, this.made))
    }
  }

  /** Restores into an empty place, killed at any moment; what is there afterwards is looked at. */
  async restoreLoop(end: number): Promise<void> {
    while (performance.now() < end) {
      await using child = this.restore()
      const patience = this.random.percent(60) ? this.random.between(500, 3000) : 8000
      await Promise.race([child.exited, sleep(Math.min(patience, end - performance.now()))])
      if (child.running()) {
        this.tally.kills += 1
        await child.kill('SIGKILL')
      }
      if (await assertWholeOrAbsent(join(this.dir, 'r'), this.made)) {
        this.tally.restored += 1
        if (this.random.percent(80)) {
          await rm(join(this.dir, 'r/data.ms'), { recursive: true })
        }
      } else {
        this.tally.unfinished += 1
      }
    }
  }

  /** With the trouble over, the newest snapshot is published and restored. */
  async settle(): Promise<void> {
    this.store.calm()
    await this.rotate()
    const uploader = this.uploader()
    await until('the newest is published', () => this.#newestIsListed(), { timeoutMs: 60_000 })
    await uploader.kill('SIGTERM')
    await rm(join(this.dir, 'r'), { recursive: true, force: true })
    await using child = this.restore()
    assert.equal((await child.exited).code, 0, child.output())
    assert.equal(await assertWholeOrAbsent(join(this.dir, 'r'), this.made), this.newest)
    await assertRestorable(this.store, this.made)
  }

  async #newestIsListed(): Promise<boolean> {
    const objects = await this.store.objects()
    const key = [...objects.keys()].filter((one) => /^snapshots\/.*\.json$/.test(one)).toSorted()
    const newest = objects.get(key.at(-1) ?? '')?.toString() ?? ''
    return newest.includes(this.newest?.sha256 ?? 'none')
  }
}
