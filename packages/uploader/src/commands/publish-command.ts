import { Command } from 'commander'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { addStoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { FilePublisher } from '../publish-file.ts'
import { fetchObject } from '../fetch-object.ts'
import { openSnapshot } from '../snapshot-file.ts'
import { wire } from '../wire.ts'
import type { UploaderFlags } from './uploader-flags.ts'

/** `uploader publish FILE|s3://bucket/key` */
export function publishCommand(host: Host): Command {
  const common = commonFlags(host)
  const command = describe(
    new Command('publish'),
    'Check any snapshot tarball and publish it, such as one that a script made.',
    'uploader publish latest.ms.snapshot --store s3://backups/search',
  ).argument('<source>', 'a file, or s3://bucket/key of the same S3 endpoint')
  return addStoreFlags(command, common)
    .addOption(common.member())
    .addOption(common.dataDir().hideHelp())
    .addOption(common.meiliUrl().hideHelp())
    .addOption(common.logLevel())
    .addOption(common.logFormat())
    .action(async (source: string, flags: UploaderFlags) => {
      const parts = await wire(host, { ...flags, lease: 'none' })
      try {
        await using fetched = source.startsWith('s3://')
          ? await fetchObject(host, source, flags, parts.log)
          : undefined
        const path = fetched?.path ?? source
        const file = await openSnapshot(path)
        if (!file)
          throw new MeiliHaError('STORE_NOT_FOUND', `there is no file ${path}`, {
            hint: 'Name a snapshot file.',
          })
        try {
          const nothingKnown = Promise.resolve({ tasks: {}, annotations: undefined })
          const unknown = async () => undefined
          const publisher = new FilePublisher(parts, flags.member, unknown, { sparing: true })
          const manifest = await publisher.publish(file, nothingKnown, host.signal)
          host.stdout.write(`${manifest.id}\n`)
        } finally {
          await file.handle.close()
        }
      } finally {
        parts.close()
      }
    })
}
