import { Command } from 'commander'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import { flag } from '@meili-ha/core/cli/flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { formatTable } from '@meili-ha/core/cli/table.ts'
import { formatBytes } from '@meili-ha/core/cli/units.ts'
import { dataPaths } from '@meili-ha/core/data-dir/paths.ts'
import { discardSetAside, listSetAside, type SetAside } from '@meili-ha/core/data-dir/set-aside.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { fetcherFlags } from './fetcher-flags.ts'

interface DiscardFlags {
  dataDir: string
  all?: boolean
  yes?: boolean
  json?: boolean
}

/** `fetcher discard [NAME] | --all --yes` */
export function discardCommand(host: Host): Command {
  const command = describe(
    new Command('discard'),
    'Show the data directories that were set aside, or remove one for good.',
    'fetcher discard data.ms.diverged-3-20261123T074929Z --data-dir /meili_data',
  ).argument('[name]', 'unset: show them')
  return command
    .addOption(commonFlags(host).dataDir())
    .addOption(flag(host, '--all', 'remove all of them'))
    .option('--yes', 'yes, --all of them')
    .addOption(fetcherFlags(host).json())
    .action(async (name: string | undefined, flags: DiscardFlags) => {
      const paths = dataPaths(flags.dataDir, host.env)
      const found = await listSetAside(paths)
      if (name === undefined && !flags.all) {
        host.stdout.write(flags.json ? `${JSON.stringify(found, null, 2)}\n` : tableOf(found))
        return
      }
      for (const chosen of choose(found, name, flags)) {
        await discardSetAside(paths, chosen)
        host.stdout.write(`removed ${chosen.path} (${formatBytes(chosen.bytes)})\n`)
      }
    })
}

/** @throws USAGE when it isn't plain what is meant; STORE_NOT_FOUND for a name that isn't there */
function choose(
  found: readonly SetAside[],
  name: string | undefined,
  { all, yes }: DiscardFlags,
): readonly SetAside[] {
  if (name === undefined) {
    if (yes) return found
    throw new MeiliHaError(
      'USAGE',
      `--all would remove ${found.length}, and there is no way back`,
      {
        hint: 'They may hold writes that exist nowhere else. Add --yes if nobody needs them.',
      },
    )
  }
  if (all) throw new MeiliHaError('USAGE', 'name one, or give --all')
  const chosen = found.filter((one) => one.name === name)
  if (chosen.length > 0) return chosen
  throw new MeiliHaError('STORE_NOT_FOUND', `nothing of that name was set aside: ${name}`, {
    hint: '`fetcher discard` without a name shows what was.',
  })
}

function tableOf(found: readonly SetAside[]): string {
  return formatTable([
    ['name', 'last led in epoch', 'set aside', 'size'],
    ...found.map(({ name, epoch, setAsideAt, bytes }) => [
      name,
      String(epoch),
      setAsideAt.toISOString(),
      formatBytes(bytes),
    ]),
  ])
}
