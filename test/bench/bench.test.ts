import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startProgram } from '../harness/process.ts'
import { tempDir } from '../harness/temp-dir.ts'
import type { Bench } from './bench.ts'
import { addGrowth, growthColumn } from './growth.ts'
import { valueOf, type Row } from './recorder.ts'
import { runScenarios } from './run-scenarios.ts'
import type { Scenario } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { verdictsOf } from './table.ts'

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))

/** Half a minute of both cores; they may be busy. */
const TIME = { timeout: 300_000 }

interface Json {
  scenarios: {
    name: string
    rows: { how: string; ours: boolean; runs: unknown[]; note?: string; failed?: boolean }[]
  }[]
}

test('the whole bench runs at tiny sizes, and says which peers are missing', TIME, async () => {
  await using dir = await tempDir()
  const json = join(dir.path, 'results.json')
  // Nothing on PATH: neither a server nor a peer, as in a bare checkout.
  const env = { PATH: '/usr/bin:/bin', AWSCLI: '', RCLONE: '' }
  await using bench = startProgram(MAIN, ['--quick', '--json', json], { env })
  const { code } = await bench.exited
  expect(code, bench.output()).toBe(0)
  const { scenarios } = JSON.parse(await readFile(json, 'utf8')) as Json
  expect(scenarios.map(({ name }) => name)).toEqual(SCENARIOS.map(({ name }) => name))
  for (const { name, rows } of scenarios) {
    expect(
      rows.filter(({ failed }) => failed),
      name,
    ).toEqual([])
    expect(
      rows.some(({ ours, runs }) => ours && runs.length > 0),
      name,
    ).toBe(true)
    for (const row of rows.filter(({ runs }) => runs.length === 0)) {
      expect(row.note, `${name}: ${row.how}`).toMatch(/^skipped: /)
      expect(bench.stdout()).toContain(`${row.how}: ${row.note?.replace('skipped: ', '')}`)
    }
  }
})

test('a scenario that is not there is refused by name', async () => {
  await using bench = startProgram(MAIN, ['--only', 'nonsense'])
  expect((await bench.exited).code).toBe(2)
  expect(bench.stdout()).toContain('no scenario nonsense')
})

test('a scenario that throws is told, and the next one still measures', async () => {
  const scenario = (name: string, fails?: true): Scenario => ({
    ...{ name, sentence: '', columns: [{ name: 'wall', unit: 's' }] },
    run: async (_, record) => {
      record.add({ what: '1', how: 'ours', ours: true }, { wall: 1 })
      if (fails) throw new Error('the server is gone')
    },
  })
  const both = [scenario('bad', true), scenario('good')]
  const said: string[] = []
  const results = await runScenarios({} as Bench, both, (text) => said.push(text))
  expect(results.map(({ failure }) => failure)).toEqual(['bad: the server is gone', undefined])
  expect(results.map(({ rows }) => rows.length)).toEqual([1, 1])
  expect(said).toContain('FAILED: bad: the server is gone')
})

test('a goal is judged by what stands for all runs, of the same size alone', () => {
  const scenario = {
    name: 'some',
    sentence: '',
    columns: [{ name: 'wall', unit: 's' }],
    goals: [{ column: 'wall', how: 'ours', against: 'theirs', most: 0.5 }],
    run: async () => {},
  }
  const row = (what: string, how: string, ...walls: number[]) => ({
    ...{ what, how },
    runs: walls.map((wall) => ({ wall })),
  })
  const rows = [
    ...[row('1', 'ours', 1, 9, 2), row('1', 'theirs', 3)],
    ...[row('2', 'ours', 1), row('2', 'theirs', 2), row('3', 'ours', 1)],
  ]
  expect(verdictsOf(scenario, rows).map(({ measured, met }) => [measured, met])).toEqual([
    ['0.67', false],
    ['0.50', true],
    ['', undefined],
  ])
})

test('growth is of what a unit costs, since the first row of the same way', () => {
  const wall = { name: 'wall', unit: 's' }
  const growth = growthColumn(wall, 'per MiB')
  const row = (what: string, how: string, ...walls: number[]): Row => ({
    ...{ what, how },
    runs: walls.map((value) => ({ wall: value })),
  })
  const rows = [
    ...[row('1 MiB', 'ours', 1, 2, 3), row('1 MiB', 'theirs', 1)],
    ...[row('4 MiB', 'ours', 12), row('4 MiB', 'theirs', 4)],
  ]
  addGrowth(rows, wall, growth, (what) => Number.parseInt(what, 10))
  expect(rows.map((one) => valueOf(one, growth))).toEqual([undefined, undefined, 1.5, 1])
  const goals = [{ column: growth.name, how: 'ours', most: 1.1 }]
  const scenario = { name: 'some', sentence: '', columns: [growth], goals, run: async () => {} }
  // The smallest has nothing that it grew from.
  expect(verdictsOf(scenario, rows).map(({ measured, met }) => [measured, met])).toEqual([
    ['1.50 x', false],
  ])
})
