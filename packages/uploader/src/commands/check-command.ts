import { Command } from 'commander'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import { printChecks } from '@meili-ha/core/cli/checks.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { addStoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { proveStore } from '@meili-ha/core/store/prove-store.ts'
import { checkMember } from '../check-member.ts'
import { wire } from '../wire.ts'
import type { UploaderFlags } from './uploader-flags.ts'

/** `uploader check` */
export function checkCommand(host: Host): Command {
  const common = commonFlags(host)
  const command = describe(
    new Command('check'),
    'Prove that the store does what is needed, and that everything else can be reached.',
    'uploader check --store s3://backups/search',
  )
  return addStoreFlags(command, common)
    .addOption(common.dataDir())
    .addOption(common.meiliUrl())
    .addOption(common.apiKeyFile())
    .addOption(common.member().hideHelp())
    .addOption(common.logLevel())
    .addOption(common.logFormat())
    .action(async (flags: UploaderFlags, self: Command) => {
      const parts = await wire(host, flags)
      try {
        const given = (name: string) => self.getOptionValueSource(name) !== 'default'
        const rows = [
          ...(await proveStore(parts.catalog.store)),
          ...(await checkMember(parts, given)),
        ]
        printChecks(host, rows)
      } finally {
        parts.close()
      }
    })
}
