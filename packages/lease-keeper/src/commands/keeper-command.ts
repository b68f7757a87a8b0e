import type { Command } from 'commander'
import { healthCommand } from '@meili-ha/core/cli/health-command.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { programCommand } from '@meili-ha/core/cli/program-command.ts'
import { checkCommand } from './check-command.ts'
import { KEEPER_PORT } from './keeper-flags.ts'
import { pauseCommand, promoteCommand, switchoverCommand } from './request-commands.ts'
import { runKeeperCommand } from './run-command.ts'
import { statusCommand } from './status-command.ts'

/** The whole command line of the lease-keeper. */
export function keeperCommand(host: Host): Command {
  return programCommand(host, {
    name: 'lease-keeper',
    description: 'Lets Meilisearch run while it holds a lease, and elects who leads next.',
    example: 'lease-keeper status --cluster search --lease store --store s3://backups/search',
    commands: [
      runKeeperCommand(host),
      statusCommand(host),
      switchoverCommand(host),
      promoteCommand(host),
      pauseCommand(host, 'pause'),
      pauseCommand(host, 'resume'),
      checkCommand(host),
      healthCommand(host, KEEPER_PORT),
    ],
  })
}
