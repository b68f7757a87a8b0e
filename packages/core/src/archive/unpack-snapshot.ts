import type { SnapshotReadOptions, SnapshotReport } from './snapshot-stream.ts'

export interface UnpackOptions extends SnapshotReadOptions {
  /** Bytes that must stay free on the volume, for Meilisearch to work with; 256 MiB unless told. */
  reserveBytes?: number
  /** What the manifest says it unpacks to: refused at once, and not half-way, when it can't fit. */
  expectedBytes?: number
  /** Bytes free on the volume that holds a path; statfs unless told. */
  freeBytes?: (path: string) => Promise<number>
}

/**
 * Unpacks a snapshot (its compressed bytes, in order) into the new directory `into`, whose parent
 * must exist. When it returns, every file and directory in it is whole and synced to disk, `into`
 * too; its *name* is the caller's to sync, with the parent, after the rename. When it throws, what lies
 * there is worth nothing and is left for the caller to remove.
 * @throws SNAPSHOT_DAMAGED, SNAPSHOT_FOREIGN, SNAPSHOT_UNSAFE, DISK_FULL, CANCELLED,
 * DATA_DIR_PERMISSION; whatever `source` throws
 */
export async function unpackSnapshot(
  _source: AsyncIterable<Buffer>,
  _into: string,
  _options: UnpackOptions = {},
): Promise<SnapshotReport> {
  throw new Error('to be written')
}
