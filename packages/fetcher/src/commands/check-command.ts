import { Command } from 'commander'
import { printChecks } from '@meili-ha/core/cli/checks.ts'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { addStoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { dataPaths } from '@meili-ha/core/data-dir/paths.ts'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { prove } from '@meili-ha/core/store/proof.ts'
import { createLogger } from '@meili-ha/core/telemetry/logger.ts'
import { memberProofs } from '../check-member.ts'
import { patienceFor, wireStore } from '../wire.ts'
import type { FetcherFlags } from './fetcher-flags.ts'

/** `fetcher check` */
export function checkCommand(host: Host): Command {
  const common = commonFlags(host)
  const command = describe(
    new Command('check'),
    'Check store, data directory, disk and guard; what is not given is skipped.',
    'fetcher check --store s3://backups/search --data-dir /meili_data --ha-dir /ha',
  )
  return addStoreFlags(command, common)
    .addOption(common.dataDir())
    .addOption(common.haDir())
    .addOption(common.logLevel())
    .addOption(common.logFormat())
    .action(async (flags: FetcherFlags, self: Command) => {
      const parts = flags.store ? await wireStore(host, flags) : undefined
      const log = parts?.log ?? (await createLogger(host, 'fetcher', flags))
      try {
        const rows = await prove(
          memberProofs({
            catalog: parts?.catalog,
            paths: dataPaths(flags.dataDir, host.env),
            ha: flags.haDir ? new HaDir(flags.haDir) : undefined,
            clock: systemBootClock,
            uid: host.uid,
            dataDirGiven: self.getOptionValueSource('dataDir') !== 'default',
            patience: patienceFor(log, 0, host.signal),
            signal: host.signal,
          }),
        )
        printChecks(host, rows)
      } finally {
        parts?.store.close()
      }
    })
}
