import type { Readable } from 'node:stream'

export interface ArchiveOptions {
  /** gzip level; 0 (stored) unless told: 1 GB/s where level 1 makes 82 MB/s. */
  level?: number
  signal?: AbortSignal
}

/**
 * The gzipped tarball of a *stopped* data directory, laid out as Meilisearch's own snapshots are;
 * `meili-ha.json` stays behind. Fails when a file changes while it is read.
 * Errors of the stream: SNAPSHOT_UNSAFE (neither file nor directory), SNAPSHOT_DAMAGED (changed
 * under our hands), SNAPSHOT_FOREIGN (not a whole data directory), CANCELLED.
 */
export function archiveDirectory(_dataMs: string, _options: ArchiveOptions = {}): Readable {
  throw new Error('to be written')
}
