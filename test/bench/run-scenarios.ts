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

/** Runs one after the other; one that throws takes none of the others with it. */
export async function runScenarios(
  bench: Bench,
  scenarios: readonly Scenario[],
  say: (text: string) => void,
): Promise<Result[]> {
  const results: Result[] = []
  for (const scenario of scenarios) {
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
    results.push({
      scenario,
      rows: record.rows,
      verdicts,
      ...(failure !== undefined && { failure }),
    })
  }
  return results
}
