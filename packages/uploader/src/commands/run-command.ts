import { Command } from 'commander'
import { commonFlags } from '@meili-ha/core/cli/common-flags.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { describe } from '@meili-ha/core/cli/program-command.ts'
import { addStoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { startServer } from '@meili-ha/core/telemetry/server.ts'
import { runUploader } from '../run-uploader.ts'
import { wire } from '../wire.ts'
import { UPLOADER_PORT, uploaderFlags, type UploaderFlags } from './uploader-flags.ts'

export type RunFlags = UploaderFlags & { every: number; maxDuty: number; archiveLevel: number }

/** `uploader run` */
export function runUploaderCommand(host: Host): Command {
  const common = commonFlags(host)
  const own = uploaderFlags(host)
  const command = describe(
    new Command('run'),
    'Watch the snapshot directory and publish every snapshot; prune by the retention rules.',
    'uploader run --store s3://backups/search --every 5m --api-key-file meili.key',
  )
  return addStoreFlags(command, common)
    .addOption(common.dataDir())
    .addOption(common.meiliUrl())
    .addOption(common.apiKeyFile())
    .addOption(own.every())
    .addOption(own.keepLast())
    .addOption(own.keepDaily())
    .addOption(own.maxDuty())
    .addOption(own.annotateCommand())
    .addOption(common.member())
    .addOption(common.lease())
    .addOption(common.haDir())
    .addOption(own.archiveLevel())
    .addOption(own.dryRun())
    .addOption(own.sweepGrace())
    .addOption(common.listen(UPLOADER_PORT))
    .addOption(common.logLevel())
    .addOption(common.logFormat())
    .action(async (flags: RunFlags) => {
      const parts = await wire(host, flags)
      const { log, metrics, status } = parts
      const server = await startServer({
        listen: flags.listen,
        registry: metrics.registry,
        routes: {
          '/healthz': () => ({ status: 200, body: 'ok' }),
          '/readyz': () => status.ready(),
          '/status': () => status.status(),
        },
      })
      log.info(
        { event: 'uploader.started', port: server.port, store: parts.catalog.store.url },
        'uploader started',
      )
      try {
        await runUploader(parts, flags, host.signal)
      } finally {
        await server.close()
        parts.close()
        log.info({ event: 'uploader.stopped' }, 'uploader stopped')
      }
    })
}
