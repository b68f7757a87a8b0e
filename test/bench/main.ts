// pnpm bench failover …  (failover.ts)
// pnpm bench [--size MIB,MIB] [--runs N] [--only NAME] [--json FILE]
// Measures meili-ha beside what one would use instead, on this machine, in one run.
import { writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bigSnapshot } from '../generate/big-snapshot.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { benchFailover } from './failover.ts'
import { type Gateway, startGateway } from './gateway.ts'
import { measureAll } from './measure.ts'
import { clearOutput, dataPath } from './scenarios.ts'
import { type Result, summarize } from './summary.ts'

if (process.argv[2] === 'failover') {
  process.exit((await benchFailover(process.argv.slice(3))) ? 0 : 1)
}

const MIB = 1024 * 1024

/** Of each of our programs, whatever the size. */
const MEMORY_LIMIT = 160 * MIB

/** Of what is larger than 2 GiB, which takes minutes. */
const FEWER_RUNS = 2

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1024,4096' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
})

const results: Result[] = []
const load = () => loadavg().map((value) => value.toFixed(1))
const machine = {
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 1024 ** 3),
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
  loadBefore: load(),
}
{
  await using temporary = await tempDir()
  await using gateway = await startGateway(join(temporary.path, 'gateway'))
  if (!gateway) say('SKIPPED: no versitygw on PATH: file:// instead of S3, and no peers')
  for (const size of values.size.split(',').map(Number)) {
    await benchSize(size, temporary.path, gateway)
  }
}

say(`\n${summarize(results)}`)
say(`\n${JSON.stringify({ ...machine, loadAfter: load() })}`)
if (values.json) await writeFile(values.json, JSON.stringify({ machine, results }, null, 2))
const greedy = results.filter(
  ({ ours, runs }) =>
    ours && Array.isArray(runs) && runs.some(({ peakBytes }) => peakBytes > MEMORY_LIMIT),
)
for (const { scenario, sizeMiB } of greedy) say(`FAILED: ${scenario} ${sizeMiB} MiB took too much`)
// A handle that some peer left open must not keep it alive.
process.exit(greedy.length > 0 ? 1 : 0)

/** Every run does everything once, so that a busy minute of the machine falls on all ways alike. */
async function benchSize(sizeMiB: number, directory: string, gateway: Gateway | undefined) {
  const snapshot = join(directory, 'big.snapshot')
  say(`generating ${sizeMiB} MiB`)
  await bigSnapshot(snapshot, sizeMiB * MIB)
  const env = { ...process.env, ...gateway?.env }
  const runs = Math.min(Number(values.runs), sizeMiB > 2048 ? FEWER_RUNS : Infinity)
  for (let run = 1; run <= runs; run++) {
    for (const { name, ways } of dataPath(snapshot, directory, gateway, `${sizeMiB}-${run}`)) {
      if (values.only && values.only !== name && name !== 'publish') continue
      for (const way of ways) {
        const result = resultOf(name, sizeMiB, way.name, way.ours ?? false)
        if (typeof way.commands === 'string') {
          result.runs = way.commands
          continue
        }
        await clearOutput(directory)
        const cost = await measureAll(way.commands, env)
        if (Array.isArray(result.runs)) result.runs.push(cost)
        const { wallMs, cpuMs, peakBytes } = cost
        const peak = Math.round(peakBytes / MIB)
        say(`${name} ${sizeMiB} MiB, ${way.name}: ${wallMs | 0} ms, CPU ${cpuMs} ms, ${peak} MiB`)
      }
    }
    await gateway?.empty()
    await clearOutput(directory)
  }
}

function resultOf(scenario: string, sizeMiB: number, way: string, ours: boolean): Result {
  const same = (result: Result) =>
    result.scenario === scenario && result.sizeMiB === sizeMiB && result.way === way
  const found = results.find(same)
  if (found) return found
  const result: Result = { scenario, sizeMiB, way, ours, runs: [] }
  results.push(result)
  return result
}

function say(text: string): void {
  console.log(text)
}
