import type { GaugeMetric } from '@meili-ha/core/telemetry/metrics.ts'

const NONE = 0
const UNKNOWN = -1

/**
 * Since when Meilisearch holds changes that no published snapshot has, as `--every` sees them. The age
 * of a snapshot alone tells nothing where nobody writes: none is made then.
 */
export class ChangesWaiting {
  readonly #gauge: GaugeMetric
  /** Seconds since 1970, NONE or UNKNOWN. */
  #since = UNKNOWN

  constructor(gauge: GaugeMetric) {
    this.#gauge = gauge
    this.#set(UNKNOWN)
  }

  /** The newest task isn't the one that the last snapshot was asked for at. */
  seen(now = Date.now()): void {
    if (this.#since <= NONE) this.#set(now / 1000)
  }

  /** Nothing has changed since the last snapshot was asked for; it may be on its way still. */
  none(): void {
    if (this.#since === UNKNOWN) this.#set(NONE)
  }

  /** @param startedAt of the snapshot that is published now, ISO 8601 */
  published(startedAt: string): void {
    if (this.#since > NONE && this.#since <= Date.parse(startedAt) / 1000) this.#set(NONE)
  }

  /** This member doesn't publish: whoever does knows. */
  unknown(): void {
    this.#set(UNKNOWN)
  }

  #set(since: number): void {
    this.#since = since
    this.#gauge.set(since)
  }
}
