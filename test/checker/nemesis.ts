import type { Random } from '../chaos/random.ts'
import type { Member } from '../cluster/member.ts'
import type { Watch } from '../faults/watch.ts'
import { FAULTS, type FaultKind } from './faults.ts'
import type { Observer } from './observer.ts'
import type { Recorder } from './recorder.ts'
import { memberFor, pause } from './routing.ts'
import type { Site } from './site.ts'
import type { Supervisor } from './supervisor.ts'

/** Thawed, a guard stops what it must within a second; the watch's excuse ends with this. */
const THAW_MS = 3000

export interface NemesisOptions {
  site: Site
  watch: Watch
  observer: Observer
  supervisor: Supervisor
  recorder: Recorder
  random: Random
  leaseMs: number
  /** Names from FAULTS; all that the store allows unless told. */
  faults?: readonly string[] | undefined
}

/** The faults that a kind of store allows. */
export function faultsOn(kind: 'file' | 's3'): string[] {
  return Object.keys(FAULTS).filter((name) => kind === 's3' || !FAULTS[name]?.network)
}

/** Strikes, waits, heals, and strikes again; now and then two members at once. */
export class Nemesis {
  /** What is out of order now, for people. */
  readonly now = new Map<string, string>()
  readonly #options: NemesisOptions
  readonly #names: readonly string[]

  constructor(options: NemesisOptions) {
    this.#options = options
    this.#names = options.faults ?? faultsOn(options.site.wayOf ? 's3' : 'file')
  }

  async strikeUntil(signal: AbortSignal): Promise<void> {
    const { random, site } = this.#options
    while (!signal.aborted) {
      const first = random.pick(this.#names)
      const alone = FAULTS[first]?.on === 'all' || !random.percent(25)
      const second = random.pick(this.#names.filter((name) => FAULTS[name]?.on === 'any'))
      const target = await this.#target(FAULTS[first]!)
      const others = site.cluster.members.filter((member) => member !== target)
      const more =
        alone || second === undefined ? [] : [this.#befall(second, random.pick(others), signal)]
      await Promise.all([this.#befall(first, target, signal), ...more])
      await pause(random.between(300, 1.6 * this.#options.leaseMs), signal)
    }
  }

  async #target({ on }: FaultKind): Promise<Member> {
    const { random, site } = this.#options
    const any = random.pick(site.cluster.members)
    // Half of what befalls anyone befalls who leads: with three members it would be a third.
    const wanted = on === 'primary' || (on === 'any' && random.percent(25))
    return (wanted && (await memberFor('/primary', site.cluster.members))) || any
  }

  async #befall(name: string, member: Member, signal: AbortSignal): Promise<void> {
    const { site, random, leaseMs, recorder, watch, supervisor } = this.#options
    const { on, lasts, excused, strike } = FAULTS[name]!
    const lastsMs = leaseMs * (lasts[0] + random.next() * (lasts[1] - lasts[0]))
    const from = recorder.now()
    const whom = on === 'all' ? 'all' : member.name
    this.now.set(whom, name)
    const befallen = on === 'all' ? site.cluster.members : [member]
    for (const one of befallen) supervisor.leave(one, true)
    if (excused) watch.excuse(member.name, true)
    const heal = await strike({ ...this.#options, member })
    await pause(lastsMs, signal)
    const mark = (await heal()) ?? {}
    const until = recorder.now()
    this.now.delete(whom)
    for (const one of befallen) supervisor.leave(one, false)
    if (excused) {
      // Not cut short by the end of the run: the watch looks on.
      await new Promise((resolve) => setTimeout(resolve, THAW_MS))
      watch.excuse(member.name, false)
    }
    recorder.add({
      ...{ kind: 'fault', fault: name, member: on === 'all' ? null : member.name, from, until },
      ...(excused && { excused }),
      ...mark,
    })
  }
}
