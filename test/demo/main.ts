/**
 * `pnpm demo`: a snapshot goes from one Meilisearch through a store into another, and both are asked
 * the same questions. `pnpm demo --snapshot FILE` starts from a given tarball.
 */
import { execFileSync } from 'node:child_process'
import { copyFile, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { formatBytes, formatDuration } from '@meili-ha/core/cli/units.ts'
import { formatTable } from '@meili-ha/core/cli/table.ts'
import { startMeilisearch, which, type RunningMeilisearch } from '../harness/meilisearch.ts'
import { startProgram } from '../harness/process.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { idle, loadDocuments } from './documents.ts'
import { compare } from './compare.ts'

const MASTER_KEY = 'demo-master-key-0123456789'
const packages = fileURLToPath(new URL('../../packages', import.meta.url))

const options = new Command('demo')
  .description('Publish a snapshot of one Meilisearch, restore it into another, compare the two.')
  .option('--snapshot <file>', 'start from this tarball instead of fresh documents')
  .option('--documents <count>', 'how many documents to add', Number, 2000)
  .parse()
  .opts<{ snapshot?: string; documents: number }>()

const steps: string[][] = []

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  process.stdout.write(`- ${what} … `)
  const began = performance.now()
  const result = await work()
  const took = formatDuration(performance.now() - began)
  process.stdout.write(`${took}\n`)
  steps.push([what, took])
  return result
}

/** Runs one of our programs to its end, as a user would. */
async function run(program: string, args: string[]): Promise<string> {
  await using child = startProgram(join(packages, program, 'src/cli.ts'), args, {
    env: { MEILI_HA_API_KEY: MASTER_KEY },
  })
  const { code } = await child.exited
  if (code !== 0) throw new Error(`${program} ${args[0]} ended with ${code}:\n${child.output()}`)
  return child.stdout()
}

function onPath(): string | undefined {
  try {
    return execFileSync('/bin/sh', ['-c', 'command -v meilisearch'], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

const bin = process.env['MEILISEARCH_BIN'] || onPath()
await using dir = await tempDir()
const store = `file://${dir.path}/store`
process.stdout.write(
  `Meilisearch: ${which(bin)}${bin ? '' : ' (set MEILISEARCH_BIN for a real one)'}\n`,
)
process.stdout.write(`store: ${store}\n\n`)

const member = async (name: string, args: string[] = []): Promise<RunningMeilisearch> =>
  startMeilisearch({
    dbPath: join(dir.path, name, 'data.ms'),
    snapshotDir: join(dir.path, name, 'snapshots'),
    masterKey: MASTER_KEY,
    args,
    ...(bin ? { bin } : {}),
  })

await mkdir(join(dir.path, 'a'))
const given = options.snapshot && resolve(options.snapshot)
if (given) await copyFile(given, join(dir.path, 'a', 'given.snapshot'))
const importing = given ? ['--import-snapshot', join(dir.path, 'a', 'given.snapshot')] : []
await using first = await timed('start the first Meilisearch', () => member('a', importing))
if (given) {
  await timed('publish the given snapshot', () =>
    run('uploader', ['publish', given, '--store', store]),
  )
} else {
  await timed(`add ${options.documents} documents`, () => loadDocuments(first, options.documents))
  await timed('snapshot it, check it, publish it', () =>
    run('uploader', [
      'snapshot',
      ...['--store', store, '--meili-url', first.url, '--data-dir', join(dir.path, 'a')],
      ...['--listen', 'off'],
    ]),
  )
}
const listed = JSON.parse(await run('fetcher', ['list', '--store', store, '--json']))
const { body: engine } = await first.call('GET', '/version')
await timed('restore it into a second directory', () =>
  run('fetcher', [
    ...['restore', '--store', store, '--data-dir', join(dir.path, 'b')],
    ...['--engine-version', (engine as { pkgVersion: string }).pkgVersion],
  ]),
)
await using second = await timed('start a second Meilisearch on it', () => member('b'))
await timed('let both finish their queues', () => Promise.all([idle(first), idle(second)]))
const { questions, differences } = await timed('ask both the same', () => compare(first, second))

process.stdout.write(`\n${formatTable([['step', 'time'], ...steps])}\n`)
const sizes = (Array.isArray(listed) ? listed : []).map((entry: { sizeBytes?: number }) =>
  formatBytes(entry.sizeBytes ?? 0),
)
process.stdout.write(`published: ${sizes.join(', ')}\n`)
if (given && !bin) process.stdout.write('The stand-in cannot read documents of a real snapshot.\n')
if (differences.length > 0) {
  process.stdout.write(`THEY DIFFER:\n${differences.join('\n')}\n`)
  process.exitCode = 1
} else {
  process.stdout.write(`${questions} questions, the same answers from both.\n`)
}
