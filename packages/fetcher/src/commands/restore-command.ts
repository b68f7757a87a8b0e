import { Command } from 'commander'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import { flag, MORE } from '@meili-ha/core/cli/flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { addStoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { restoreChoice } from '../restore-choice.ts'
import { restoreMember } from '../restore-member.ts'
import { wireMember } from '../wire.ts'
import { fetcherFlags, parseTime, type FetcherFlags } from './fetcher-flags.ts'
import { sayOutcome } from './say-outcome.ts'

type RestoreFlags = FetcherFlags & { id?: string; at?: Date; to?: string; json?: boolean }

/** `fetcher restore` */
export function restoreCommand(host: Host): Command {
  const common = commonFlags(host)
  const own = fetcherFlags(host)
  const command = describe(
    new Command('restore'),
    'Make the data directory whole before Meilisearch starts: keep what is good, else restore.',
    'fetcher restore --store s3://backups/search --data-dir /meili_data',
  )
  return addStoreFlags(command, common)
    .addOption(common.dataDir())
    .addOption(flag(host, '--id <id>', 'restore this very snapshot (`fetcher list` shows them)'))
    .addOption(
      flag(host, '--at <time>', 'restore the newest snapshot begun by then', { parse: parseTime }),
    )
    .addOption(flag(host, '--to <dir>', 'restore into this new directory; nothing else is touched'))
    .addOption(own.ifNone())
    .addOption(own.unknownData())
    .addOption(own.timeout())
    .addOption(own.json())
    .addOption(own.engineVersion().helpGroup(MORE))
    .addOption(own.upgrade())
    .addOption(common.member().helpGroup(MORE))
    .addOption(common.lease())
    .addOption(common.haDir())
    .addOption(common.logLevel())
    .addOption(common.logFormat())
    .action(async (flags: RestoreFlags) => {
      const { id, at, to, json } = flags
      if (id !== undefined && at !== undefined) {
        throw new MeiliHaError('USAGE', '--id and --at exclude each other')
      }
      const lease = flags.haDir !== undefined && flags.lease !== 'none' && to === undefined
      const member = await wireMember(host, flags, lease)
      try {
        const byPerson = id !== undefined || at !== undefined || to !== undefined
        const choice = { ...(id !== undefined && { id }), ...(at && { at }) }
        const outcome = byPerson
          ? await restoreChoice(host, choice, to, member)
          : await restoreMember(host, member)
        sayOutcome(host, to ?? member.paths.live, outcome, json === true)
      } finally {
        member.store.close()
      }
    })
}
