import { Counter, Gauge, Registry } from 'prom-client'

/**
 * The metrics of one program. Names are `meili_ha_<program>_<what>_<unit>`; counters end in
 * `_total`; every label value is pre-set to zero so that a rate exists before the first event.
 */
export class Metrics {
  readonly registry = new Registry()
  readonly #prefix: string

  constructor(program: string) {
    this.#prefix = `meili_ha_${program.replaceAll('-', '_')}_`
  }

  gauge(name: string, help: string): Gauge
  gauge(name: string, help: string, label: string, values: readonly string[]): Gauge
  gauge(name: string, help: string, label?: string, values: readonly string[] = []): Gauge {
    const gauge = new Gauge({
      name: this.#prefix + name,
      help,
      labelNames: label ? [label] : [],
      registers: [this.registry],
    })
    for (const value of values) gauge.set({ [label as string]: value }, 0)
    return gauge
  }

  counter(name: string, help: string): Counter
  counter(name: string, help: string, label: string, values: readonly string[]): Counter
  counter(name: string, help: string, label?: string, values: readonly string[] = []): Counter {
    const counter = new Counter({
      name: this.#prefix + name,
      help,
      labelNames: label ? [label] : [],
      registers: [this.registry],
    })
    for (const value of values) counter.inc({ [label as string]: value }, 0)
    return counter
  }
}
