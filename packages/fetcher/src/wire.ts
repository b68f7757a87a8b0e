import type { Logger } from 'pino'
import { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { storeFromFlags, type StoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { formatDuration } from '@meili-ha/core/cli/units.ts'
import { dataPaths } from '@meili-ha/core/data-dir/paths.ts'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { createLogger } from '@meili-ha/core/telemetry/logger.ts'
import { versionIn, type FetcherFlags } from './commands/fetcher-flags.ts'
import { Patience } from './patience.ts'
import type { RestoreOptions } from './restore.ts'

/** What the commands that only read the store need. */
export interface StoreParts {
  log: Logger
  store: Store
  catalog: CatalogReader
}

export async function wireStore(
  host: Host,
  flags: StoreFlags & { logLevel: string; logFormat?: 'pretty' | 'json' },
): Promise<StoreParts> {
  const log = await createLogger(host, 'fetcher', flags)
  const store = await storeFromFlags(host, flags)
  return { log, store, catalog: new CatalogReader(store) }
}

/** What the commands that act on a data directory need. */
export async function wireMember(
  host: Host,
  flags: FetcherFlags,
  lease: boolean,
): Promise<RestoreOptions & { ha: HaDir | undefined }> {
  const parts = await wireStore(host, flags)
  const ha = flags.haDir ? new HaDir(flags.haDir) : undefined
  const { ifNone, unknownData, upgrade = false, member } = flags
  return {
    ...parts,
    ha,
    member,
    paths: dataPaths(flags.dataDir, host.env),
    engine: await engineOf(flags, ha),
    wishes: { lease, ifNone, unknownData, upgrade },
    takesWrites: !ha,
    signal: host.signal,
    patience: patienceFor(parts.log, flags.timeout, host.signal),
    now: () => new Date(),
  }
}

/** `--engine-version`, else what the guard found; undefined = not known (yet). */
export async function engineOf(
  flags: { engineVersion?: string },
  ha: HaDir | undefined,
): Promise<string | undefined> {
  return flags.engineVersion ?? versionIn((await ha?.readLine('engine')) ?? '')
}

export function patienceFor(log: Logger, timeoutMs: number, signal: AbortSignal): Patience {
  return new Patience({
    timeoutMs,
    signal,
    onWait: (error) =>
      log.warn(
        { event: 'store.waiting', code: error.code, err: error, timeoutMs },
        `${error.message}; trying again for up to ${formatDuration(timeoutMs)}`,
      ),
  })
}
