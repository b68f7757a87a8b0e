import { Command } from 'commander'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { addStoreFlags, type StoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { formatTable } from '@meili-ha/core/cli/table.ts'
import { formatBytes, formatDuration } from '@meili-ha/core/cli/units.ts'
import { describeSnapshots, marksOf, type Description } from '../describe-snapshots.ts'
import { wireStore } from '../wire.ts'
import { fetcherFlags } from './fetcher-flags.ts'

type ListFlags = StoreFlags & { json?: boolean; logLevel: string }

/** `fetcher list` */
export function listCommand(host: Host): Command {
  const common = commonFlags(host)
  const command = describe(
    new Command('list'),
    'Show what the store holds, newest first: off-chain, damaged and final ones marked.',
    'fetcher list --store s3://backups/search',
  )
  return addStoreFlags(command, common)
    .addOption(fetcherFlags(host).json())
    .addOption(common.logLevel())
    .addOption(common.logFormat())
    .action(async (flags: ListFlags) => {
      const { store, catalog } = await wireStore(host, flags)
      try {
        const snapshots = describeSnapshots(await catalog.read())
        host.stdout.write(
          flags.json ? `${JSON.stringify(snapshots, null, 2)}\n` : tableOf(snapshots, Date.now()),
        )
      } finally {
        store.close()
      }
    })
}

function tableOf(snapshots: readonly Description[], now: number): string {
  const or = <T>(value: T | null, format: (value: T) => string) =>
    value === null ? '-' : format(value)
  return formatTable([
    ['id', 'begun', 'size', 'unpacked', 'version', 'last task', 'writer', ''],
    ...snapshots.map((snapshot) => [
      snapshot.id,
      or(snapshot.begunAt, (at) => `${formatDuration(Math.max(0, now - Date.parse(at)))} ago`),
      or(snapshot.sizeBytes, formatBytes),
      or(snapshot.unpackedBytes, formatBytes),
      or(snapshot.version, String),
      or(snapshot.lastTaskUid, String),
      or(snapshot.writer, String),
      marksOf(snapshot),
    ]),
  ])
}
