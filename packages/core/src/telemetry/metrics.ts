import { Counter, Gauge, Registry } from 'prom-client'

/** What a program does with a gauge; named here, so that no program needs prom-client itself. */
export interface GaugeMetric {
  set(value: number): void
  set(labels: Record<string, string>, value: number): void
}

/** What a program does with a counter. */
export interface CounterMetric {
  inc(value?: number): void
  inc(labels: Record<string, string>, value?: number): void
}

/** What is served under /metrics. */
export interface MetricsRegistry {
  metrics(): Promise<string>
  getMetricsAsJSON(): Promise<unknown[]>
}

/**
 * The metrics of one program. Names are `meili_ha_<program>_<what>_<unit>`; counters end in
 * `_total`; every label value is pre-set to zero so that a rate exists before the first event.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #prefix: string

  constructor(program: string) {
    this.#prefix = `meili_ha_${program.replaceAll('-', '_')}_`
  }

  get registry(): MetricsRegistry {
    return this.#registry
  }

  gauge(name: string, help: string): GaugeMetric
  gauge(name: string, help: string, label: string, values: readonly string[]): GaugeMetric
  gauge(name: string, help: string, label?: string, values: readonly string[] = []): GaugeMetric {
    const gauge = new Gauge({
      name: this.#prefix + name,
      help,
      labelNames: label ? [label] : [],
      registers: [this.#registry],
    })
    for (const value of values) gauge.set({ [label as string]: value }, 0)
    return gauge
  }

  counter(name: string, help: string): CounterMetric
  counter(name: string, help: string, label: string, values: readonly string[]): CounterMetric
  counter(
    name: string,
    help: string,
    label?: string,
    values: readonly string[] = [],
  ): CounterMetric {
    const counter = new Counter({
      name: this.#prefix + name,
      help,
      labelNames: label ? [label] : [],
      registers: [this.#registry],
    })
    for (const value of values) counter.inc({ [label as string]: value }, 0)
    return counter
  }
}
