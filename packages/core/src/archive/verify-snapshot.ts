import { MeiliHaError } from '../errors.ts'
import { readSnapshot, type SnapshotReadOptions, type SnapshotReport } from './snapshot-stream.ts'

/**
 * Reads a snapshot (its compressed bytes, in order) to the very end and writes nothing: gzip
 * checksum, trailer, end of tar, every name, and the files without which it isn't one.
 * @throws SNAPSHOT_DAMAGED, SNAPSHOT_FOREIGN, SNAPSHOT_UNSAFE, CANCELLED; whatever `source` throws
 */
export async function verifySnapshot(
  source: AsyncIterable<Buffer>,
  options: SnapshotReadOptions = {},
): Promise<SnapshotReport> {
  for await (const event of readSnapshot(source, options)) {
    if (event.kind === 'end') return event.report
  }
  throw new MeiliHaError('INTERNAL', 'a snapshot ended without a verdict')
}
