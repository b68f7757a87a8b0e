import type { Process, Simulation } from './simulation.ts'

export type Service = 'lease' | 'store' | 'pods'

/** A definite no of the service itself; anything else that goes wrong is `unknown`. */
export class Refused extends Error {}

/** How likely each mishap is for one request, while faults are on. */
export interface Weather {
  lost: number
  late: number
  doubled: number
  answerLost: number
}

export const CALM: Weather = { lost: 0, late: 0, doubled: 0, answerLost: 0 }

/** Requests that are lost, late, doubled, or applied and answered with an error. */
export class Network {
  readonly #simulation: Simulation
  weather: Weather = CALM
  /** Members whose answers are slow, though in time, until when. */
  readonly slow = new Map<string, number>()
  /** `service` or `service:member` to the time until which it is out. */
  readonly outages = new Map<string, { until: number; hangs: boolean }>()

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  /**
   * `apply` runs at the service (perhaps never, later, or twice), `answer` exactly once at the caller,
   * unless that dies: with the result, or with 'refused' or 'unknown' by the timeout at the latest.
   */
  call<T>(
    service: Service,
    from: { member: string; process: Process },
    timeout: number,
    apply: () => T,
    answer: (result: { ok: T } | 'refused' | 'unknown') => void,
  ): void {
    const simulation = this.#simulation
    const { weather } = this
    let answered = false
    const after = from.process.inThisLife()
    const respond = (result: { ok: T } | 'refused' | 'unknown', delay: number) =>
      after(delay, () => {
        if (answered) return
        answered = true
        answer(result)
      })
    respond('unknown', timeout)
    const out = this.#outage(service, from.member)
    if (out && !simulation.chance(0.1)) {
      if (!out.hangs) respond('unknown', 1)
      return
    }
    if (simulation.chance(weather.lost)) return
    const late = simulation.chance(weather.late)
    const delay = late ? simulation.between(50, 3_000) : simulation.between(1, 4)
    const answerLost = out !== undefined || simulation.chance(weather.answerLost)
    const answeredLate = simulation.chance(weather.late)
    const slow = (this.slow.get(from.member) ?? 0) > simulation.now
    const quick = slow ? simulation.between(timeout - 30, timeout - 5) : simulation.between(1, 4)
    const back = answeredLate ? simulation.between(50, 400) : quick
    const arrive = (again: boolean) => {
      let result: { ok: T } | 'refused'
      try {
        result = { ok: apply() }
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        result = 'refused'
      }
      // What a doubled request is answered with is either answer: a proxy sent it twice.
      if (again) return
      if (answerLost) {
        if (simulation.chance(0.5)) respond('unknown', back)
      } else respond(result, back)
    }
    const doubled = simulation.chance(weather.doubled)
    const first = doubled && simulation.chance(0.5)
    simulation.after(delay, () => arrive(first))
    if (doubled) simulation.after(delay + simulation.between(1, 500), () => arrive(!first))
  }

  out(service: Service, member: string): boolean {
    return this.#outage(service, member) !== undefined
  }

  #outage(service: Service, member: string): { hangs: boolean } | undefined {
    if (this.outages.size === 0) return undefined
    for (const key of [service, `${service}:${member}`]) {
      const outage = this.outages.get(key)
      if (outage && outage.until > this.#simulation.now) return outage
    }
    return undefined
  }
}
