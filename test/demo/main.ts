/**
 * `pnpm demo`: first the data path (publish, restore, compare), then a cluster of two members whose
 * primary is broken before your eyes. `--snapshot FILE` shows the first alone, `--kill` the second.
 */
import { execFileSync } from 'node:child_process'
import { Command, Option } from 'commander'
import { KILLS, type Kill } from './breakage.ts'
import { clusterDemo } from './cluster-demo.ts'
import { dataPathDemo } from './data-path.ts'

const options = new Command('demo')
  .description('Publish and restore a snapshot; then break the primary of a cluster and watch.')
  .option('--snapshot <file>', 'publish and restore this tarball, and no more')
  .addOption(new Option('--kill <what>', 'break this way, and show no more').choices(KILLS))
  .option('--documents <count>', 'how many documents to add', Number, 2000)
  .option('--keep', 'leave the cluster running until Ctrl-C')
  .parse()
  .opts<{ snapshot?: string; kill?: Kill; documents: number; keep?: boolean }>()

function onPath(): string | undefined {
  try {
    return execFileSync('/bin/sh', ['-c', 'command -v meilisearch'], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

const bin = process.env['MEILISEARCH_BIN'] || onPath()
const { snapshot, documents, kill, keep = false } = options
const both = snapshot === undefined && kill === undefined
let well = true
if (both) process.stdout.write('1. A snapshot goes to a store and comes back\n\n')
if (kill === undefined) well = await dataPathDemo({ snapshot, documents, bin })
if (both) process.stdout.write('\n2. A primary dies\n\n')
if (snapshot === undefined && well) {
  well = await clusterDemo({ kill: kill ?? 'member', documents, bin, keep })
}
process.exitCode = well ? 0 : 1
