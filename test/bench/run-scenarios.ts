import { messageOf } from '@meili-ha/core/errors.ts'
import type { Bench } from './bench.ts'
import { lastOf, Recorder, type Row } from './recorder.ts'
import type { Scenario } from './scenario.ts'
import { verdictsOf, type Verdict } from './table.ts'

/** What one scenario measured. */
export interface Result {
  scenario: Scenario
  rows: readonly Row[]
  verdicts: Verdict[]
  /** Why it ended before its time; what it had measured by then is here. */
  failure?: string
}

/** At tiny sizes most of them wait most of the time. */
const QUICK_LANES = 3

/**
 * Runs one after the other, or in a quick bench, whose numbers say nothing, some beside each other. One that
 * throws takes none of the others with it.
 * @returns what each measured, in their order
 */
export async function runScenarios(
  bench: Bench,
  scenarios: readonly Scenario[],
  say: (text: string) => void,
): Promise<Result[]> {
  const results = new Map<Scenario, Result>()
  const waiting = [...scenarios]
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { name } = next
      const tell = bench.quick ? (text: string) => say(`${name}: ${text}`) : say
      results.set(next, await runScenario(bench, next, tell))
    }
  }
  await Promise.all(Array.from({ length: bench.quick ? QUICK_LANES : 1 }, lane))
  return scenarios.flatMap((scenario) => results.get(scenario) ?? [])
}

async function runScenario(
  bench: Bench,
  scenario: Scenario,
  say: (text: string) => void,
): Promise<Result> {
  say(`\n== ${scenario.name}: ${scenario.sentence}`)
  const record = new Recorder(scenario.columns, say)
  const began = performance.now()
  const failure = await scenario.run(bench, record).then(
    () => undefined,
    (error: unknown) => `${scenario.name}: ${lastOf(messageOf(error))}`,
  )
  if (failure !== undefined) say(`FAILED: ${failure}`)
  say(`${scenario.name} took ${((performance.now() - began) / 1000).toFixed(0)} s`)
  const verdicts = verdictsOf(scenario, record.rows)
  return { scenario, rows: record.rows, verdicts, ...(failure !== undefined && { failure }) }
}
