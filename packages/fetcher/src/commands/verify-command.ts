import { Command } from 'commander'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import { flag } from '@meili-ha/core/cli/flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { startProgress } from '@meili-ha/core/cli/progress.ts'
import { addStoreFlags, type StoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { formatTable } from '@meili-ha/core/cli/table.ts'
import type { CatalogView, Entry } from '@meili-ha/core/catalog/catalog-view.ts'
import { restoreCandidates } from '@meili-ha/core/catalog/restore-candidates.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { verifyEntry, type Verification } from '../verify.ts'
import { patienceFor, wireStore } from '../wire.ts'
import { fetcherFlags } from './fetcher-flags.ts'

type VerifyFlags = StoreFlags & {
  all?: boolean
  json?: boolean
  timeout: number
  logLevel: string
}

/** `fetcher verify [ID] | --all` */
export function verifyCommand(host: Host): Command {
  const common = commonFlags(host)
  const own = fetcherFlags(host)
  const command = describe(
    new Command('verify'),
    'Read a snapshot to its last byte and check all of it, as a restore would; nothing is kept.',
    'fetcher verify --all --store s3://backups/search',
  ).argument('[id]', 'unset: the newest that a restore would take')
  return addStoreFlags(command, common)
    .addOption(flag(host, '--all', 'every snapshot of the store'))
    .addOption(own.json())
    .addOption(own.timeout())
    .addOption(common.logLevel())
    .addOption(common.logFormat())
    .action(async (id: string | undefined, flags: VerifyFlags) => {
      if (flags.all && id !== undefined) {
        throw new MeiliHaError('USAGE', 'name one snapshot, or give --all')
      }
      const { store, catalog, log } = await wireStore(host, flags)
      const patience = patienceFor(log, flags.timeout, host.signal)
      try {
        const view = await patience.insist(() => catalog.read())
        const entries = choose(view, id, flags.all === true)
        const progress = startProgress(host, log, 'verify', bytesOf(entries))
        const onBytes = (bytes: number) => progress.add(bytes)
        const options = { patience, signal: host.signal, onBytes }
        const found: Verification[] = []
        for (const entry of entries) found.push(await verifyEntry(entry, store, options))
        progress.end()
        host.stdout.write(flags.json ? `${JSON.stringify(found, null, 2)}\n` : tableOf(found))
        const bad = found.filter(({ good }) => !good).length
        if (bad > 0) {
          throw new MeiliHaError(
            'SNAPSHOT_DAMAGED',
            `${bad} of ${found.length} can't be restored`,
            {
              hint: 'Restores pass over them; publish a new snapshot with `uploader snapshot`.',
            },
          )
        }
      } finally {
        store.close()
      }
    })
}

/** @throws STORE_NOT_FOUND for an id that isn't there; SNAPSHOT_NONE* when there is no newest */
function choose(view: CatalogView, id: string | undefined, all: boolean): readonly Entry[] {
  if (all) return view.entries
  if (id === undefined) {
    const { candidates, exhausted } = restoreCandidates(view)
    if (candidates[0] === undefined) throw exhausted
    return [candidates[0]]
  }
  const found = view.entries.find((entry) => entry.id === id)
  if (!found) throw new MeiliHaError('STORE_NOT_FOUND', `the store holds no snapshot ${id}`)
  return [found]
}

function bytesOf(entries: readonly Entry[]): number {
  const sizes = entries.map((entry) =>
    entry.kind === 'snapshot' ? (entry.manifest.object?.size ?? 0) : 0,
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

function tableOf(found: readonly Verification[]): string {
  return formatTable([
    ['id', 'result', ''],
    ...found.map(({ id, good, detail }) => [id, good ? 'good' : 'BAD', detail]),
  ])
}
