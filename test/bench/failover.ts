// pnpm bench failover [--runs N] [--lease-duration 15s,5s] [--kinds KIND,KIND] [--side-by-side N] [--size MB] [--json FILE]
// How long clients wait through the router when a primary is lost, and which acknowledged writes are lost with it.
import { writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { KILLS, type Kill } from '../demo/breakage.ts'
import { cleanUpAtExit } from '../demo/clean-up.ts'
import { which } from '../harness/meilisearch.ts'
import { runOnce } from './failover-run.ts'
import { prepare, type Ground, type Kind } from './failover-scene.ts'
import { failoverTables, judge, type Measured } from './failover-summary.ts'
import { watchSwaps } from './failover-swap.ts'

const KINDS: readonly Kind[] = [...KILLS, 'swap']

/** They mostly wait, for a lease to run out: clusters beside each other hardly disturb each other then. */
const WAITING: readonly Kind[] = ['process', 'member', 'freeze', 'partition']

/** Three crashes in 30 s are a crash loop, upon which a primary steps down: that isn't what is measured. */
const BETWEEN_CRASHES_MS = 16_000

/** A scene that breaks off is set up anew, but not for ever. */
const BROKEN_MOST = 3

const say = (text: string) => console.log(text)

/** Measures, prints the tables; true when every goal is met. */
export async function benchFailover(args: string[]): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: 'string', default: '20' },
      'lease-duration': { type: 'string', default: '15s,5s' },
      kinds: { type: 'string', default: KINDS.join(',') },
      'side-by-side': { type: 'string', default: '3' },
      size: { type: 'string', default: '100' },
      json: { type: 'string' },
    },
  })
  const kinds = values.kinds.split(',') as Kind[]
  const unknown = kinds.find((kind) => !KINDS.includes(kind))
  if (unknown) throw new Error(`--kinds: ${unknown} is none of ${KINDS.join(', ')}`)
  cleanUpAtExit()
  const machine = {
    meilisearch: which(),
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    loadBefore: loadavg().map((load) => load.toFixed(1)),
  }
  say(JSON.stringify(machine))
  const all: Measured[] = []
  for (const kind of kinds) {
    for (const leaseDuration of values['lease-duration'].split(',')) {
      const beside = WAITING.includes(kind) ? Number(values['side-by-side']) : 1
      const size = kind === 'switchover' ? Number(values.size) * 1e6 : 0
      all.push(await measure(kind, leaseDuration, size, Number(values.runs), beside))
      const done = { ...machine, loadAfter: loadavg().map((load) => load.toFixed(1)), all }
      if (values.json) await writeFile(values.json, JSON.stringify(done, null, 2))
    }
  }
  say(`\n${failoverTables(all)}`)
  say(
    `\nload after: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
  )
  for (const { kind, violations, broken } of all) {
    for (const what of violations) say(`BROKEN PROMISE: ${kind}: ${what}`)
    for (const what of broken) say(`broken off: ${kind}: ${what}`)
  }
  const wrong = (each: Measured) =>
    judge(each)?.met === false || each.violations.length + each.broken.length > 0
  return !all.some(wrong)
}

/** So many runs, shared out among scenes beside each other. */
async function measure(
  kind: Kind,
  leaseDuration: string,
  size: number,
  runs: number,
  beside: number,
): Promise<Measured> {
  const measured: Measured = {
    ...{ kind, leaseDuration, dataBytes: 0, samples: [], violations: [], broken: [] },
  }
  const life = async () => {
    while (measured.samples.length < runs && measured.broken.length < BROKEN_MOST) {
      try {
        await using ground = await prepare(kind, leaseDuration, size)
        measured.dataBytes = ground.dataBytes
        try {
          await runAll(kind, ground, measured, runs)
        } finally {
          measured.violations.push(...ground.watch.violations)
        }
        if (kind === 'swap') return
      } catch (error) {
        measured.broken.push(error instanceof Error ? error.message.slice(-2000) : String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: beside }, life))
  return measured
}

async function runAll(kind: Kind, ground: Ground, measured: Measured, runs: number): Promise<void> {
  const name = `${kind}, L = ${measured.leaseDuration}`
  if (kind === 'swap') {
    measured.swaps = await watchSwaps(ground, runs)
    return say(`${name}: ${JSON.stringify(measured.swaps)}`)
  }
  while (measured.samples.length < runs) {
    const sample = await runOnce(kind satisfies Kill, ground)
    measured.samples.push(sample)
    say(`${name}: ${JSON.stringify(sample)}`)
    if (kind === 'process') await sleep(BETWEEN_CRASHES_MS)
  }
}
