import { formatDuration } from '@meili-ha/core/cli/units.ts'
import type { Member } from '../cluster/member.ts'
import type { RunningProcess } from '../harness/process.ts'
import { tell, type Step, type Told } from './told-events.ts'

/** Something that happened, at a wall-clock time in milliseconds. */
export interface Moment extends Told {
  at: number
}

const LOOK_EVERY_MS = 50

/** Hears what the programs of all members say, and tells it as it comes. */
export class Story implements Disposable {
  readonly moments: Moment[] = []
  readonly #members: readonly Member[]
  readonly #heard = new Map<RunningProcess, number>()
  readonly #timer: NodeJS.Timeout
  readonly #live: (moment: Moment) => void

  constructor(members: readonly Member[], live: (moment: Moment) => void = () => {}) {
    this.#members = members
    this.#live = live
    // Only what comes from now on.
    for (const part of this.#parts()) this.#heard.set(part.process, part.process.output().length)
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  add(moment: Moment): void {
    this.moments.push(moment)
    this.#live(moment)
  }

  /** The first moment of a step from `since` on. */
  find(step: Step, since: number): Moment | undefined {
    return this.moments
      .filter((moment) => moment.step === step && moment.at >= since)
      .toSorted((a, b) => a.at - b.at)[0]
  }

  look(): void {
    for (const { name, process } of this.#parts()) {
      const output = process.output()
      const from = this.#heard.get(process) ?? 0
      const end = output.lastIndexOf('\n') + 1
      if (end <= from) continue
      this.#heard.set(process, end)
      for (const line of output.slice(from, end).split('\n')) {
        const told = tell(line)
        if (told) this.add({ at: Date.now(), ...told, what: `${name} ${told.what}` })
      }
    }
  }

  *#parts(): Generator<{ name: string; process: RunningProcess }> {
    for (const { name, parts } of this.#members) {
      for (const process of Object.values(parts)) yield { name, process }
    }
  }
}

/** `+5.5 s`, counted from the breakage. */
export function after(at: number, struckAt: number): string {
  return `${at < struckAt ? '-' : '+'}${formatDuration(Math.abs(at - struckAt))}`
}
