/**
 * `pnpm chaos`: a cluster of real processes under a nemesis, its clients' history judged at the end.
 * Exit code 0: every promise was kept; 1: one was broken; 2: usage; 130: interrupted.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { parseDuration } from '@meili-ha/core/cli/units.ts'
import { which } from '../harness/meilisearch.ts'
import { check } from './check.ts'
import type { Entry } from './history.ts'
import { FAULTS } from './faults.ts'
import { PLANTS, type Plant } from './plants.ts'
import { runChaos } from './run.ts'
import { summaryOf } from './summary.ts'

interface Flags {
  minutes: number
  seed: number
  members: number
  store: 'file' | 's3'
  leaseDuration: string
  lag: string
  faults?: string
  plant?: Plant
  keep?: boolean
  json?: string
  check?: string
}

const flags = new Command('chaos')
  .description(
    'Run a cluster, break it by a seed, heal it, and check what its clients saw.\n' +
      'With MEILISEARCH_BIN against a real Meilisearch, else against the stand-in.',
  )
  .option('--minutes <count>', 'how long to break things', Number, 1)
  .option('--seed <number>', 'choices of the nemesis; printed', Number, Date.now() % 2 ** 31)
  .option('--members <count>', '2 or more', Number, 3)
  .addOption(
    new Option('--store <kind>', 's3: a server inside, with partitions and outages')
      .choices(['file', 's3'])
      .default('s3'),
  )
  .option('--lease-duration <duration>', 'of the lease-keepers', '5s')
  .option('--lag <duration>', 'what the read route asks for', '10s')
  .option('--faults <names>', 'only these, separated by semicolons; see below')
  .addOption(
    new Option('--plant <bug>', 'plant a bug, to see it found').choices(Object.keys(PLANTS)),
  )
  .option('--keep', 'keep the history, not only that of a violation')
  .option('--json <file>', 'write the result there too')
  .option('--check <file>', 'run nothing: judge this history again')
  .addHelpText('after', `\nFaults: ${Object.keys(FAULTS).join('; ')}`)
  .addHelpText(
    'after',
    `\nBugs to plant:\n${Object.entries(PLANTS)
      .map(([name, { what }]) => `  ${name}: ${what}`)
      .join('\n')}`,
  )
  .parse()
  .opts<Flags>()

const say = (text: string) => process.stdout.write(`${text}\n`)
const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    say(`${name}: ending everything`)
    interrupted.abort()
  })
}

function usage(message: string): never {
  process.stderr.write(`error: ${message}\n`)
  process.exit(2)
}

if (flags.check !== undefined) {
  const lines = await readFile(resolve(process.env['INIT_CWD'] ?? '.', flags.check), 'utf8')
  const verdict = check(
    lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Entry),
  )
  say(summaryOf(verdict))
  process.exit(verdict.violations.length > 0 ? 1 : 0)
}

const faults = flags.faults?.split(';').map((name) => name.trim())
const strange = faults?.find((name) => !(name in FAULTS))
if (strange !== undefined) usage(`there is no fault '${strange}'; --help names them`)
if (!(flags.minutes > 0)) usage('--minutes must be more than 0')
if (!(flags.members >= 2)) usage('--members must be 2 or more')

const { seed, members, store, leaseDuration, plant } = flags
const historyFile = join(tmpdir(), `meili-ha-chaos-${seed}-${process.pid}.jsonl`)
const bin = process.env['MEILISEARCH_BIN'] || undefined
say(`Meilisearch: ${which(bin)}; store: ${store}; ${members} members; L = ${leaseDuration}`)
say(`seed ${seed}: the same choices again with --seed ${seed}`)
if (plant) say(`planted: ${PLANTS[plant].what}`)
const began = performance.now()
try {
  const verdict = await runChaos({
    ...{ store, members, leaseDuration, bin, seed, faults, historyFile, say },
    replace: plant && PLANTS[plant].replace,
    leaseMs: parseDuration(leaseDuration),
    lagMs: parseDuration(flags.lag),
    durationMs: flags.minutes * 60_000,
    keep: flags.keep ?? false,
    signal: interrupted.signal,
  })
  say(`\n${summaryOf(verdict)}`)
  const bad = verdict.violations.length > 0
  if (bad) say(`\nseed ${seed}; history: ${historyFile}; logs: ${historyFile}.log`)
  else if (flags.keep) say(`\nhistory: ${historyFile}`)
  if (flags.json !== undefined) {
    const seconds = Math.round((performance.now() - began) / 1000)
    const result = { seed, store, members, leaseDuration, meilisearch: which(bin), seconds }
    const text = JSON.stringify({ ...result, ...verdict, historyFile }, null, 2)
    await writeFile(resolve(process.env['INIT_CWD'] ?? '.', flags.json), `${text}\n`)
  }
  process.exitCode = bad ? 1 : 0
} catch (error) {
  if (!interrupted.signal.aborted) throw error
  process.exitCode = 130
}
