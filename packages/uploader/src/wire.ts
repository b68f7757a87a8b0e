import type { Logger } from 'pino'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { storeFromFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import { readLineage } from '@meili-ha/core/data-dir/lineage.ts'
import { dataPaths, type DataPaths } from '@meili-ha/core/data-dir/paths.ts'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { apiKeySource } from '@meili-ha/core/meilisearch/api-key.ts'
import { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import { createLogger } from '@meili-ha/core/telemetry/logger.ts'
import type { UploaderFlags } from './commands/uploader-flags.ts'
import { permitTerms, WITHOUT_LEASE, type Terms } from './terms.ts'
import { uploaderMetrics, type UploaderMetrics } from './uploader-metrics.ts'
import { UploaderStatus } from './uploader-status.ts'

/** The parts that every command needs, made from its flags. */
export interface Parts {
  host: Host
  log: Logger
  paths: DataPaths
  catalog: CatalogReader
  meili: MeilisearchClient
  /** Undefined when it stands alone, or lives beside a guard without a lease. */
  ha: HaDir | undefined
  terms: Terms
  metrics: UploaderMetrics
  status: UploaderStatus
  close(): void
}

export async function wire(host: Host, flags: UploaderFlags): Promise<Parts> {
  const log = await createLogger(host, 'uploader', flags)
  const store = await storeFromFlags(host, flags)
  const metrics = uploaderMetrics()
  const ha = flags.haDir && flags.lease !== 'none' ? new HaDir(flags.haDir) : undefined
  return {
    host,
    log,
    paths: dataPaths(flags.dataDir, host.env),
    catalog: new CatalogReader(store),
    meili: new MeilisearchClient({
      url: flags.meiliUrl,
      apiKey: apiKeySource({ file: flags.apiKeyFile, value: host.env['MEILI_HA_API_KEY'] }),
      signal: host.signal,
    }),
    ha,
    terms: ha ? permitTerms(ha, systemBootClock) : WITHOUT_LEASE,
    metrics,
    status: new UploaderStatus(log, metrics, { store: store.url, member: flags.member }),
    close: () => store.close(),
  }
}

/** The cluster id that the data directory bears; undefined when nobody has said yet. */
export async function lineageClusterId(paths: DataPaths): Promise<string | undefined> {
  return (await readLineage(paths.live))?.clusterId
}
