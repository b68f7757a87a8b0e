/**
 * `pnpm demo`: first the data path (publish, restore, compare), then a cluster of two members whose
 * primary is broken before your eyes. `--snapshot FILE` shows the first alone, `--kill` the second.
 */
import { execFileSync } from 'node:child_process'
import { Command, InvalidArgumentError, Option } from 'commander'
import { describeError } from '@meili-ha/core/cli/run-program.ts'
import { messageOf } from '@meili-ha/core/errors.ts'
import { parseCount, parseDuration } from '@meili-ha/core/cli/units.ts'
import { timingFor } from '@meili-ha/lease-keeper/timing.ts'
import { ROUTERS, type RouterKind } from '../router/start-router.ts'
import { KILLS, type Kill } from './breakage.ts'
import { cleanUpAtExit } from './clean-up.ts'
import { clusterDemo } from './cluster-demo.ts'
import { dataPathDemo } from './data-path.ts'
import type { LeaseKind } from './scene.ts'

/** Longer than this nobody watches; `--keep` has no end. */
const LIMIT_MS = 90_000

/** What the keepers would refuse is refused here: nobody would lead. */
function allowedDuration(text: string): string {
  try {
    timingFor(parseDuration(text))
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error))
  }
  return text
}

const options = new Command('demo')
  .description('Publish and restore a snapshot; then break the primary of a cluster and watch.')
  .option('--snapshot <file>', 'publish and restore this tarball, and no more')
  .addOption(new Option('--kill <what>', 'break this way, and show no more').choices(KILLS))
  .option(
    '--store <url>',
    's3://bucket/prefix, by AWS_* variables; a prefix of its own below it, emptied at the end',
  )
  .addOption(
    new Option('--lease <kind>', 'kubernetes: in a real API server with KUBEBUILDER_ASSETS')
      .choices(['store', 'kubernetes'])
      .default('store'),
  )
  .option('--lease-duration <duration>', 'of the lease; 15s in real life', allowedDuration, '5s')
  .addOption(
    new Option('--router <kind>', 'HAProxy if it is installed, unless told').choices(ROUTERS),
  )
  .option('--documents <count>', 'how many documents to add', parseCount, 2000)
  .option('--keep', 'leave the cluster running until Ctrl-C')
  .parse()
  .opts<{
    snapshot?: string
    kill?: Kill
    store?: string
    lease: LeaseKind
    leaseDuration: string
    router?: RouterKind
    documents: number
    keep?: boolean
  }>()

function onPath(): string | undefined {
  try {
    return execFileSync('/bin/sh', ['-c', 'command -v meilisearch'], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

/** What went wrong, not what the clean-up after it met. */
function firstOf(error: unknown): unknown {
  return error instanceof SuppressedError ? firstOf(error.suppressed) : error
}

const cleanUp = cleanUpAtExit()
const bin = process.env['MEILISEARCH_BIN'] || onPath()
const { snapshot, documents, kill, keep = false } = options
const both = snapshot === undefined && kill === undefined
if (!keep) {
  setTimeout(() => {
    process.stdout.write(`\nFAILED: not over after ${LIMIT_MS / 1000} s\n`)
    process.exit(1)
  }, LIMIT_MS).unref()
}
let well = true
try {
  if (both) process.stdout.write('1. A snapshot goes to a store and comes back\n\n')
  if (kill === undefined) well = await dataPathDemo({ snapshot, documents, bin })
  if (both) process.stdout.write('\n2. A primary dies\n\n')
  if (snapshot === undefined && well) {
    const { store, router, lease, leaseDuration } = options
    const scene = { bin, store, lease, leaseDuration, ...(router && { router }) }
    well = await clusterDemo({ ...scene, kill: kill ?? 'member', documents, keep }, cleanUp)
  }
} catch (error) {
  well = false
  process.stderr.write(`demo: ${describeError(firstOf(error))}`)
}
process.exit(well ? 0 : 1)
