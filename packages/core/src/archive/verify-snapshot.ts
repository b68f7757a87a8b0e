import type { SnapshotReadOptions, SnapshotReport } from './snapshot-stream.ts'

/**
 * Reads a snapshot (its compressed bytes, in order) to the very end and writes nothing: gzip
 * checksum, trailer, end of tar, every name, and the files without which it isn't one.
 * @throws SNAPSHOT_DAMAGED, SNAPSHOT_FOREIGN, SNAPSHOT_UNSAFE, CANCELLED; whatever `source` throws
 */
export async function verifySnapshot(
  _source: AsyncIterable<Buffer>,
  _options: SnapshotReadOptions = {},
): Promise<SnapshotReport> {
  throw new Error('to be written')
}
