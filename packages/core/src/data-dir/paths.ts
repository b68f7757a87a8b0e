import { basename, dirname, join, resolve } from 'node:path'

/** The paths of one member's data (design section 6). All absolute. */
export interface DataPaths {
  /** Meilisearch's own --db-path: the live directory. */
  live: string
  /** Being unpacked; complete once it has its lineage. */
  next: string
  /** What the last swap replaced. */
  replaced: string
  /** Empty; locked by the fetcher that is at work here. */
  lock: string
  /** The directory that holds all of them; renames happen within it. */
  parent: string
  /** Where Meilisearch puts its snapshots. */
  snapshots: string
}

/**
 * Meilisearch resolves its own settings against its working directory, which in the stock image is
 * the data directory; so relative MEILI_DB_PATH and MEILI_SNAPSHOT_DIR are resolved against it too.
 */
export function dataPaths(
  dataDir: string,
  env: Readonly<Record<string, string | undefined>>,
): DataPaths {
  const root = resolve(dataDir)
  const live = resolve(root, env['MEILI_DB_PATH'] || 'data.ms')
  return {
    live,
    next: `${live}.next`,
    replaced: `${live}.replaced`,
    lock: `${live}.lock`,
    parent: dirname(live),
    snapshots: resolve(root, env['MEILI_SNAPSHOT_DIR'] || 'snapshots'),
  }
}

/** Where a directory that took unpublished writes is kept until a person removes it. */
export function divergedPath(paths: DataPaths, epoch: number, utc: string): string {
  return join(paths.parent, `${basename(paths.live)}.diverged-${epoch}-${utc}`)
}
