import type { Logger } from 'pino'
import { unpackSnapshot } from '@meili-ha/core/archive/unpack-snapshot.ts'
import { versionGate } from '@meili-ha/core/archive/version.ts'
import type { Restorable } from '@meili-ha/core/catalog/catalog-view.ts'
import { inspectDataDirectory } from '@meili-ha/core/data-dir/inspect.ts'
import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import type { DataPaths } from '@meili-ha/core/data-dir/paths.ts'
import { completeNext, reclaimReplaced, removeNext } from '@meili-ha/core/data-dir/swap.ts'
import { writeLineage, writeVersion } from '@meili-ha/core/data-dir/write-lineage.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { makeDirectory, syncDirectory } from '@meili-ha/core/store/file-durable.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { downloadTarball } from './download.ts'
import type { Patience } from './patience.ts'

export interface FetchOptions {
  store: Store
  paths: DataPaths
  /** The Meilisearch that will open it; undefined = not known. */
  engine: string | undefined
  patience: Patience
  signal: AbortSignal
  log: Logger
  /** Compressed bytes as they arrive. */
  onBytes?: (bytes: number) => void
}

/**
 * Downloads a snapshot, checks it whole and leaves it complete in `.next`, synced; the live
 * directory isn't touched. One that lies there complete already, from an earlier attempt, is used.
 * @throws VERSION_TOO_NEW, VERSION_TOO_OLD, DISK_FULL before anything is removed or downloaded;
 * SNAPSHOT_* when it is no good; STORE_*, CANCELLED
 */
export async function fetchSnapshot(
  snapshot: Restorable,
  primaryIn: number[],
  options: FetchOptions,
): Promise<void> {
  const { store, paths, engine, patience, signal, log } = options
  const { id, manifest } = snapshot
  const lineage = lineageOf(snapshot, primaryIn)
  const version = manifest.meilisearch.version
  const gate = version === null ? 'unknown-engine' : versionGate(version, engine)
  if (gate === 'upgrade') {
    log.warn(
      { event: 'restore.upgrades', id, version, engine },
      `${id} is of Meilisearch ${version}: ${engine} will upgrade it at its start`,
    )
  }

  const ready = await completeNext(paths)
  if (ready?.snapshotId === id && ready.tarball === lineage.tarball) {
    log.info({ event: 'restore.reused', id }, `${id} was unpacked already`)
  } else {
    await makeDirectory(paths.parent).catch((cause: unknown) => {
      throw new MeiliHaError('DATA_DIR_PERMISSION', `can't make ${paths.parent}`, { cause })
    })
    await reclaimReplaced(paths)
    await removeNext(paths)
    log.info({ event: 'restore.started', id, sizeBytes: manifest.object.size }, `restoring ${id}`)
    try {
      const report = await unpackSnapshot(
        downloadTarball(store, manifest.object, options),
        paths.next,
        {
          signal,
          expectedBytes: manifest.contents.unpackedBytes,
          onProgress: () => patience.moved(),
        },
      )
      if (version !== null && report.version !== version) {
        const says = `its manifest says ${version}`
        throw new MeiliHaError(
          'SNAPSHOT_DAMAGED',
          `it is of Meilisearch ${report.version}, ${says}`,
        )
      }
      log.info({ event: 'restore.unpacked', id, ...report }, `${id} is unpacked and whole`)
    } catch (error) {
      // The volume is Meilisearch's: what is worth nothing mustn't fill it until the next attempt.
      await removeNext(paths).catch(() => {})
      throw error
    }
  }
  // Also of what was unpacked before, for an engine that is another by now.
  await setVersion(paths.next, gate === 'upgrade' ? engine : (version ?? undefined))
  await writeLineage(paths.next, lineage)
  await syncDirectory(paths.parent)
  log.info({ event: 'restore.complete', id }, `${id} is ready to be moved in`)
}

/** What a directory that grew from `snapshot` says about itself. */
function lineageOf(snapshot: Restorable, primaryIn: number[]): Lineage {
  return {
    format: 1,
    clusterId: snapshot.manifest.clusterId,
    snapshotId: snapshot.id,
    tarball: snapshot.manifest.object.sha256,
    primaryIn,
    claim: null,
    lastTaskUid: null,
  }
}

/** As an import does, which takes any VERSION for the engine's own. */
async function setVersion(next: string, engine: string | undefined): Promise<void> {
  if (engine === undefined) return
  const found = await inspectDataDirectory(next)
  if (found.state === 'whole' && found.version !== engine) await writeVersion(next, engine)
}
