import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tempDir, type TempDir } from '../harness/temp-dir.ts'
import type { Verdict } from './check.ts'
import { PLANTS, type Plant } from './plants.ts'
import { runChaos, type ChaosOptions } from './run.ts'
import { summaryOf } from './summary.ts'

const TIMEOUT_MS = 300_000
/** Nothing here may be lucky at the second attempt: a promise that is broken once is broken. */
const ONCE = { timeout: TIMEOUT_MS, retry: 0 }
/** A planted bug shows only where a fault meets it: found in one of a few short runs is found. */
const FINDS = { timeout: TIMEOUT_MS, retry: 2 }

let scratch: TempDir
beforeAll(async () => {
  scratch = await tempDir()
})
afterAll(() => scratch[Symbol.asyncDispose]())

function chaos(options: Partial<ChaosOptions>): Promise<Verdict> {
  return runChaos({
    ...{ store: 'file', members: 2, leaseDuration: '5s', leaseMs: 5000, lagMs: 10_000 },
    ...{ bin: undefined, seed: 1, durationMs: 12_000, keep: false },
    historyFile: join(scratch.path, 'history.jsonl'),
    ...options,
  })
}

test('whatever befalls three members for a while, every promise is kept', ONCE, async () => {
  const seed = Number(process.env['MEILI_HA_CHAOS_SEED'] ?? Date.now() % 2 ** 31)
  console.log(`MEILI_HA_CHAOS_SEED=${seed}`)
  // Where a violation can be looked at afterwards.
  const historyFile = `/tmp/meili-ha-chaos-${seed}.jsonl`
  const say = (text: string) => console.log(text)
  const verdict = await chaos({
    store: 's3',
    members: 3,
    seed,
    durationMs: 20_000,
    historyFile,
    say,
  })
  console.log(summaryOf(verdict))
  expect(verdict.violations, `the history is ${historyFile}`).toEqual([])
  expect(verdict.acknowledged).toBeGreaterThan(50)
})

describe.concurrent('a planted bug is found:', () => {
  const found = async (plant: Plant, options: Partial<ChaosOptions>) => {
    const historyFile = join(scratch.path, `${plant}.jsonl`)
    // A cluster with a bug needn't heal.
    const patienceMs = 8000
    const { replace } = PLANTS[plant]
    const { violations } = await chaos({ ...options, replace, historyFile, patienceMs })
    return new Set(violations.map(({ promise }) => promise))
  }

  test('a guard that ignores the end of the permit', FINDS, async () => {
    // This seed freezes the first primary for longer than the lease.
    const promises = await found('deaf-guard', { faults: ['freeze keeper'], seed: 126 })
    expect(promises).toContain('two primaries')
    expect(promises).toContain('stale primary')
  })

  test('a fetcher that misses the newest snapshots', FINDS, async () => {
    const promises = await found('blind-fetcher', { faults: ['switch over'] })
    expect(promises).toContain('older claim')
    expect(promises).toContain('planned hand-over')
  })
})
