import type { Command } from 'commander'
import { healthCommand } from '@meili-ha/core/cli/health-command.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { programCommand } from '@meili-ha/core/cli/program-command.ts'
import { FETCHER_PORT } from './fetcher-flags.ts'
import { restoreCommand } from './restore-command.ts'

/** The whole command line of the fetcher. */
export function fetcherCommand(host: Host): Command {
  return programCommand(host, {
    name: 'fetcher',
    description: 'Restores the newest good snapshot, and keeps a standby following.',
    example: 'fetcher restore --store s3://backups/search --data-dir /meili_data',
    commands: [restoreCommand(host), healthCommand(host, FETCHER_PORT)],
  })
}
