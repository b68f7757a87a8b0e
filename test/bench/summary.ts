import type { Cost } from './measure.ts'

/** All runs of one way of one scenario. */
export interface Result {
  scenario: string
  sizeMiB: number
  way: string
  ours: boolean
  /** One per run; or why there are none. */
  runs: Cost[] | string
}

const MIB = 1024 * 1024

/** The middle one; of two, the mean. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
}

/** A table in Markdown: medians, the spread of the time, and how ours compares with each. */
export function summarize(results: Result[]): string {
  const lines = [
    '| what | how | wall (spread) | CPU | peak memory | ours / this: wall | CPU |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (const result of results) {
    const title = `${result.scenario} ${result.sizeMiB} MiB | ${result.way}`
    if (typeof result.runs === 'string') {
      lines.push(`| ${title} | skipped: ${result.runs} | | | | |`)
      continue
    }
    const ours = results.find(
      (other) =>
        other.ours && other.scenario === result.scenario && other.sizeMiB === result.sizeMiB,
    )
    const ratio = (what: keyof Cost) =>
      ours && !result.ours ? (of(ours, what) / of(result, what)).toFixed(2) : ''
    const walls = result.runs.map(({ wallMs }) => wallMs)
    const spread = `${seconds(Math.min(...walls))} to ${seconds(Math.max(...walls))}`
    lines.push(
      `| ${title} | ${seconds(median(walls))} s (${spread}) | ${seconds(of(result, 'cpuMs'))} s | ` +
        `${Math.round(of(result, 'peakBytes') / MIB)} MiB | ${ratio('wallMs')} | ${ratio('cpuMs')} |`,
    )
  }
  return lines.join('\n')
}

/** The median; of memory the highest, since that is what a limit meets. */
function of({ runs }: Result, what: keyof Cost): number {
  const values = typeof runs === 'string' ? [] : runs.map((run) => run[what])
  return what === 'peakBytes' ? Math.max(...values) : median(values)
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}
