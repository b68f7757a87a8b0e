import { Command } from 'commander'
import { healthCommand } from '@meili-ha/core/cli/health-command.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { programCommand } from '@meili-ha/core/cli/program-command.ts'
import { checkCommand } from './check-command.ts'
import { publishCommand } from './publish-command.ts'
import { runUploaderCommand } from './run-command.ts'
import { snapshotCommand } from './snapshot-command.ts'
import { UPLOADER_PORT } from './uploader-flags.ts'

/** The whole command line of the uploader. */
export function uploaderCommand(host: Host): Command {
  return programCommand(host, {
    name: 'uploader',
    description: 'Publishes every snapshot that Meilisearch makes, checked, to S3 or a directory.',
    example: 'uploader run --store s3://backups/search --every 5m',
    commands: [
      runUploaderCommand(host),
      snapshotCommand(host),
      publishCommand(host),
      checkCommand(host),
      healthCommand(host, UPLOADER_PORT),
    ],
  })
}
