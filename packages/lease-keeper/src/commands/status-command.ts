import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import { flag } from '@meili-ha/core/cli/flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { openLease } from '../open-lease.ts'
import { clusterStatus, printStatus, type ClusterStatus } from '../cluster-status.ts'
import { readRecord } from './edit-record.ts'
import { addLeaseFlags, type LeaseFlags } from './keeper-flags.ts'

const WATCH_MS = 2000

/** `lease-keeper status` */
export function statusCommand(host: Host): Command {
  const command = describe(
    new Command('status'),
    'Show the members of a cluster: who leads, who could, and what would be lost now.',
    'lease-keeper status --cluster search',
  )
  return addLeaseFlags(command, host, commonFlags(host))
    .addOption(flag(host, '--json', 'for machines', {}))
    .addOption(flag(host, '--watch', 'again every two seconds, until Ctrl-C', {}))
    .action(async (flags: LeaseFlags & { json?: boolean; watch?: boolean }) => {
      using lease = await openLease(host, flags, 'look')
      const look = async (): Promise<ClusterStatus> => {
        const [record, statements] = await Promise.all([
          readRecord(lease.backend),
          lease.statements.readAll(),
        ])
        return clusterStatus(flags.cluster, record, statements, new Date())
      }
      do {
        const status = await look()
        const clear = flags.watch && host.stdout.isTTY ? '\u001b[2J\u001b[H' : ''
        host.stdout.write(clear + (flags.json ? toJson(status) : printStatus(status)))
        if (flags.watch) await sleep(WATCH_MS, undefined, { signal: host.signal }).catch(() => {})
      } while (flags.watch && !host.signal.aborted)
    })
}

/** Nothing known of the cluster is `{}`, not an error: it may just not have begun. */
function toJson(status: ClusterStatus): string {
  const empty = status.lease === null && status.members.length === 0
  return `${JSON.stringify(empty ? {} : status, null, 2)}\n`
}
