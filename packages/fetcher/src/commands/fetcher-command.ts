import type { Command } from 'commander'
import { healthCommand } from '@meili-ha/core/cli/health-command.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { programCommand } from '@meili-ha/core/cli/program-command.ts'
import { checkCommand } from './check-command.ts'
import { discardCommand } from './discard-command.ts'
import { FETCHER_PORT } from './fetcher-flags.ts'
import { followCommand } from './follow-command.ts'
import { guardCommand } from './guard-command.ts'
import { listCommand } from './list-command.ts'
import { restoreCommand } from './restore-command.ts'
import { verifyCommand } from './verify-command.ts'

/** The whole command line of the fetcher. */
export function fetcherCommand(host: Host): Command {
  return programCommand(host, {
    name: 'fetcher',
    description: 'Restores the newest good snapshot, and keeps a standby following.',
    example: 'fetcher restore --store s3://backups/search --data-dir /meili_data',
    commands: [
      restoreCommand(host),
      followCommand(host),
      listCommand(host),
      verifyCommand(host),
      discardCommand(host),
      guardCommand(host),
      checkCommand(host),
      healthCommand(host, FETCHER_PORT),
    ],
  })
}
