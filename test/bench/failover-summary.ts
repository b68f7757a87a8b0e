import { median } from './recorder.ts'
import type { Kind } from './failover-scene.ts'
import type { Sample } from './failover-run.ts'
import type { Swaps } from './failover-swap.ts'

export interface Measured {
  kind: Kind
  leaseDuration: string
  dataBytes: number
  samples: Sample[]
  swaps?: Swaps
  /** Moments at which two members led, or one ran beyond its permit: none, or it is no HA. */
  violations: string[]
  /** Runs that came to no end, and why. */
  broken: string[]
}

/** What was promised, in words, and whether it was kept; undefined = nothing was promised. */
export interface Verdict {
  goal: string
  met: boolean
}

/** The value that so many per cent of the runs don't exceed (nearest rank). */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN
}

/** The goals are set for a lease of 15 s. */
export function judge({ kind, leaseDuration, samples, swaps }: Measured): Verdict | undefined {
  const p95 = (of: (sample: Sample) => number) => percentile(samples.map(of), 95)
  const lost = samples.reduce((sum, sample) => sum + sample.lost, 0)
  if (kind === 'swap') return { goal: 'no read fails', met: swaps?.readsFailed === 0 }
  if (kind === 'switchover') {
    const met = p95(({ writeGapMs }) => writeGapMs) <= 3000 && lost === 0
    return { goal: 'gap <= 3 s, 0 lost', met }
  }
  if (kind === 'process') {
    return { goal: '<= 3 s', met: p95(({ firstWriteMs }) => firstWriteMs) <= 3000 }
  }
  if (leaseDuration !== '15s') return undefined
  return { goal: '<= 20 s', met: p95(({ firstWriteMs }) => firstWriteMs) <= 20_000 }
}

/** Two tables in Markdown: what breaks a primary, and swaps. */
export function failoverTables(all: readonly Measured[]): string {
  const lines = [
    '| fault | L | runs | first write after | first read after | longest write gap | longest read gap | reads failed | lost of acknowledged | goal (p95) |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (const measured of all.filter(({ kind }) => kind !== 'swap')) {
    const { leaseDuration, samples, broken } = measured
    const spread = (of: (sample: Sample) => number) => spreadOf(samples.map(of))
    const sum = (of: (sample: Sample) => number) =>
      samples.reduce((total, each) => total + of(each), 0)
    lines.push(
      row(
        named(measured),
        leaseDuration,
        `${samples.length}${broken.length > 0 ? ` (${broken.length} broken off)` : ''}`,
        spread(({ firstWriteMs }) => firstWriteMs),
        spread(({ firstReadMs }) => firstReadMs),
        spread(({ writeGapMs }) => writeGapMs),
        spread(({ readGapMs }) => readGapMs),
        String(sum(({ readsFailed }) => readsFailed)),
        `${sum(({ lost }) => lost)} of ${sum(({ acknowledged }) => acknowledged)}`,
        verdict(measured),
      ),
    )
  }
  const swaps = all.filter((measured) => measured.swaps !== undefined)
  if (swaps.length === 0) return lines.join('\n')
  lines.push(
    '',
    '| swaps of a standby | L | reads through the router | failed | longest read gap | goal |',
    '| --- | --- | --- | --- | --- | --- |',
  )
  for (const measured of swaps) {
    const { swaps: seen, readGapMs, reads, readsFailed } = measured.swaps!
    const gap = `${Math.round(readGapMs)} ms`
    const cells = [seen, measured.leaseDuration, reads, readsFailed, gap, verdict(measured)]
    lines.push(row(...cells.map(String)))
  }
  return lines.join('\n')
}

const row = (...cells: string[]) => `| ${cells.join(' | ')} |`

function named({ kind, dataBytes }: Measured): string {
  return kind === 'switchover' ? `${kind}, ${Math.round(dataBytes / 1e6)} MB` : kind
}

/** `1.1 s (p95 1.4, 0.9 to 1.5)`. */
function spreadOf(values: readonly number[]): string {
  if (values.length === 0) return '-'
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return `${s(median([...values]))} s (p95 ${s(percentile(values, 95))}, ${s(low)} to ${s(high)})`
}

const s = (ms: number) => (ms / 1000).toFixed(1)

function verdict(measured: Measured): string {
  const judged = judge(measured)
  if (!judged) return ''
  return `${judged.goal}: ${judged.met ? 'met' : '**missed**'}`
}
