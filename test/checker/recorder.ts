import { closeSync, openSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import type { Entry, Start } from './history.ts'

/** Writes a history down as it happens: what was recorded survives the death of the run. */
export class Recorder {
  readonly file: string
  readonly entries: Entry[] = []
  readonly #fd: number
  readonly #origin = performance.now()
  readonly #wall = Date.now()
  readonly #boot = systemBootClock.now()

  constructor(file: string, start: Omit<Start, 'kind' | 'at'>) {
    this.file = file
    this.#fd = openSync(file, 'w')
    this.add({ kind: 'start', at: new Date(this.#wall).toISOString(), ...start })
  }

  /** Milliseconds since the run began. */
  now(): number {
    return performance.now() - this.#origin
  }

  /** @param text a time of this machine's wall clock; null when there is none */
  fromWall(text: string | undefined): number | null {
    return text === undefined ? null : Date.parse(text) - this.#wall
  }

  fromBoot(centiseconds: number): number {
    return (centiseconds - this.#boot) * 10
  }

  add(entry: Entry): void {
    this.entries.push(entry)
    writeSync(this.#fd, `${JSON.stringify(entry)}\n`)
  }

  async close(keep: boolean): Promise<void> {
    closeSync(this.#fd)
    if (!keep) await rm(this.file, { force: true })
  }
}
