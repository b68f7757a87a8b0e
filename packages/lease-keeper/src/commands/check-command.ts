import { Command } from 'commander'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import { printChecks } from '@meili-ha/core/cli/checks.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { checkMember } from '../check-member.ts'
import { addLeaseFlags, type RunFlags } from './keeper-flags.ts'

/** `lease-keeper check` */
export function checkCommand(host: Host): Command {
  const common = commonFlags(host)
  const command = describe(
    new Command('check'),
    'Check rights, lease, clocks, /ha, Meilisearch and disk; what is not given is skipped.',
    'lease-keeper check --cluster search --lease store --store s3://backups/search',
  )
  return addLeaseFlags(command, host, common)
    .addOption(common.haDir())
    .addOption(common.dataDir())
    .addOption(common.meiliUrl())
    .addOption(common.apiKeyFile())
    .action(async (flags: RunFlags, self: Command) => {
      const given = (name: string) => self.getOptionValueSource(name) !== 'default'
      printChecks(host, await checkMember(host, flags, given))
    })
}
