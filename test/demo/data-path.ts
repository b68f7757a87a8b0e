import { copyFile, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { formatBytes, formatDuration } from '@meili-ha/core/cli/units.ts'
import { formatTable } from '@meili-ha/core/cli/table.ts'
import { startMeilisearch, which, type RunningMeilisearch } from '../harness/meilisearch.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { idle, loadDocuments } from './documents.ts'
import { compare } from './compare.ts'
import { runProgram } from './run-program.ts'

const MASTER_KEY = 'demo-master-key-0123456789'

/** Does one step and says how long it took. */
async function timed<T>(steps: string[][], what: string, work: () => Promise<T>): Promise<T> {
  process.stdout.write(`- ${what} … `)
  const began = performance.now()
  const result = await work()
  const took = formatDuration(performance.now() - began)
  process.stdout.write(`${took}\n`)
  steps.push([what, took])
  return result
}

export interface DataPathOptions {
  /** Start from this tarball instead of fresh documents. */
  snapshot: string | undefined
  documents: number
  /** A real Meilisearch; undefined = the stand-in. */
  bin: string | undefined
}

/**
 * A snapshot goes from one Meilisearch through a store into another, and both are asked the same
 * questions. Returns whether they agree.
 */
export async function dataPathDemo(options: DataPathOptions): Promise<boolean> {
  const { bin } = options
  const steps: string[][] = []
  const run = (program: 'uploader' | 'fetcher', args: string[]) =>
    runProgram(program, args, { MEILI_HA_API_KEY: MASTER_KEY })
  const step = <T>(what: string, work: () => Promise<T>) => timed(steps, what, work)
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
  await using first = await step('start the first Meilisearch', () => member('a', importing))
  if (given) {
    await step('publish the given snapshot', () =>
      run('uploader', ['publish', given, '--store', store]),
    )
  } else {
    await step(`add ${options.documents} documents`, () => loadDocuments(first, options.documents))
    await step('snapshot it, check it, publish it', () =>
      run('uploader', [
        'snapshot',
        ...['--store', store, '--meili-url', first.url, '--data-dir', join(dir.path, 'a')],
        ...['--listen', 'off'],
      ]),
    )
  }
  const listed = JSON.parse(await run('fetcher', ['list', '--store', store, '--json']))
  const { body: engine } = await first.call('GET', '/version')
  await step('restore it into a second directory', () =>
    run('fetcher', [
      ...['restore', '--store', store, '--data-dir', join(dir.path, 'b')],
      ...['--engine-version', (engine as { pkgVersion: string }).pkgVersion],
    ]),
  )
  await using second = await step('start a second Meilisearch on it', () => member('b'))
  await step('let both finish their queues', () => Promise.all([idle(first), idle(second)]))
  const { questions, differences } = await step('ask both the same', () => compare(first, second))

  process.stdout.write(`\n${formatTable([['step', 'time'], ...steps])}\n`)
  const sizes = (Array.isArray(listed) ? listed : []).map((entry: { sizeBytes?: number }) =>
    formatBytes(entry.sizeBytes ?? 0),
  )
  process.stdout.write(`published: ${sizes.join(', ')}\n`)
  if (given && !bin)
    process.stdout.write('The stand-in cannot read documents of a real snapshot.\n')
  if (differences.length > 0) {
    process.stdout.write(`THEY DIFFER:\n${differences.join('\n')}\n`)
    return false
  }
  process.stdout.write(`${questions} questions, the same answers from both.\n`)
  return true
}
