import { Command } from 'commander'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { runMember } from '../runtime/run-member.ts'
import { addLeaseFlags, KEEPER_PORT, keeperFlags, type RunFlags } from './keeper-flags.ts'

/** `lease-keeper run` */
export function runKeeperCommand(host: Host): Command {
  const common = commonFlags(host)
  const own = keeperFlags(host)
  const command = describe(
    new Command('run'),
    'Keep this member in its role: renew the lease, or make sure that Meilisearch is stopped.',
    'lease-keeper run --cluster search --store s3://backups/search --ha-dir /ha',
  )
  return addLeaseFlags(command, host, common)
    .addOption(common.member())
    .addOption(common.haDir())
    .addOption(own.bootstrapMember())
    .addOption(own.failover())
    .addOption(own.maxLoss())
    .addOption(own.primary())
    .addOption(common.meiliUrl())
    .addOption(own.failoverDelay())
    .addOption(own.unhealthyAfter())
    .addOption(own.catchUpTimeout())
    .addOption(own.drainLimit())
    .addOption(own.standby())
    .addOption(own.stop())
    .addOption(own.onPromote())
    .addOption(own.acceptNetworkFilesystem())
    .addOption(common.dataDir())
    .addOption(common.apiKeyFile())
    .addOption(common.listen(KEEPER_PORT))
    .action((flags: RunFlags) => runMember(host, flags))
}
