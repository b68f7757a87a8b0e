// pnpm bench failover …  (failover.ts)
// pnpm bench [NAME…] [--only NAME,NAME] [--list] [--quick] [--size MIB,MIB] [--data MIB,MIB] …
// Measures meili-ha beside what one would use instead, on this machine, in one run.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { startBench } from './bench.ts'
import { benchFailover } from './failover.ts'
import { describeMachine } from './machine.ts'
import { runScenarios } from './run-scenarios.ts'
import { SCENARIOS } from './scenarios.ts'
import { tableOf, verdictTable } from './table.ts'

if (process.argv[2] === 'failover') {
  process.exit((await benchFailover(process.argv.slice(3))) ? 0 : 1)
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string' },
    data: { type: 'string' },
    runs: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
})

const say = (text: string) => console.log(text)
process.exit(values.list ? list() : await run())

function list(): number {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length))
  for (const { name, sentence } of SCENARIOS) say(`${name.padEnd(width)}  ${sentence}`)
  return 0
}

async function run(): Promise<number> {
  const wanted = [...positionals, ...(values.only?.split(',') ?? [])]
  const unknown = wanted.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name))
  if (unknown.length > 0) {
    say(`there is no scenario ${unknown.join(', ')}; \`pnpm bench --list\` shows what there is`)
    return 2
  }
  const chosen = SCENARIOS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  const before = describeMachine()
  await using bench = await startBench({
    sizes: (values.size ?? (values.quick ? '8' : '1024,4096')).split(',').map(Number),
    dataSizes: (values.data ?? (values.quick ? '1' : '10,1024')).split(',').map(Number),
    runs: Number(values.runs ?? (values.quick ? 1 : 3)),
    quick: values.quick,
    say,
  })
  const results = await runScenarios(bench, chosen, say)
  const after = describeMachine()
  const verdicts = results.flatMap((result) => result.verdicts)
  for (const { scenario, rows } of results) say(`\n${scenario.name}\n\n${tableOf(scenario, rows)}`)
  say(`\n${verdictTable(verdicts)}`)
  say(`\nbefore: ${JSON.stringify(before)}\nafter:  ${JSON.stringify(after)}`)
  if (values.json !== undefined) {
    const scenarios = results.map(({ scenario: { name }, ...rest }) => ({ name, ...rest }))
    const document = { quick: values.quick, before, after, scenarios }
    await writeFile(values.json, `${JSON.stringify(document, null, 2)}\n`)
  }
  const broken = results.flatMap(({ rows }) => rows.filter(({ ours, failed }) => ours && failed))
  // Tiny sizes say nothing about goals.
  const missed = values.quick ? [] : verdicts.filter(({ met, hard }) => hard && met === false)
  for (const { text, measured } of missed) say(`FAILED: ${text}: ${measured}`)
  const thrown = results.filter(({ failure }) => failure !== undefined)
  for (const { failure } of thrown) say(`FAILED: ${failure}`)
  return broken.length + missed.length + thrown.length > 0 ? 1 : 0
}
