import { Command } from 'commander'
import { flag } from '@meili-ha/core/cli/flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { installGuard } from '../guard-script.ts'

/** `fetcher guard --to DIR` */
export function guardCommand(host: Host): Command {
  const command = describe(
    new Command('guard'),
    'Put guard.sh where the container of Meilisearch can run it.',
    'fetcher guard --to /guard',
  )
  return command
    .addOption(flag(host, '--to <dir>', 'a directory that both containers mount'))
    .action(async ({ to }: { to?: string }) => {
      if (!to) throw new MeiliHaError('USAGE', '--to is required')
      host.stdout.write(`${await installGuard(to)}\n`)
    })
}
