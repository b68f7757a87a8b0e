import { verifySnapshot } from '@meili-ha/core/archive/verify-snapshot.ts'
import type { SnapshotReport } from '@meili-ha/core/archive/snapshot-stream.ts'
import { partSizeFor } from '@meili-ha/core/store/part-size.ts'
import type { Store, StoredFile } from '@meili-ha/core/store/store.ts'
import { readAlong } from './read-along.ts'
import { assertUnchanged, type SnapshotFile } from './snapshot-file.ts'

export interface Transferred {
  stored: StoredFile
  partSize: number
  report: SnapshotReport
}

/**
 * Uploads a snapshot while it is verified, both from one reading of the descriptor that is open. Whichever
 * fails stops the other. The object is there at the end, but nothing names it yet.
 * @throws SNAPSHOT_DAMAGED, SNAPSHOT_FOREIGN, SNAPSHOT_UNSAFE of the file; STORE_* of the store;
 * CANCELLED when `signal` aborted: the upload is then left unfinished, to be resumed
 */
export async function transfer(
  store: Store,
  key: string,
  file: SnapshotFile,
  signal: AbortSignal,
  onPart: (part: { bytes: number; reused: boolean }) => void,
): Promise<Transferred> {
  const partSize = partSizeFor(file.size)
  // Aborted by whichever of the two fails, so that the other stops early.
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const failures: unknown[] = []
  const shared = readAlong(file)
  const stopBoth = (error: unknown) => {
    failures.push(error)
    stop.abort()
    shared.stop()
  }
  const [report, stored] = await Promise.all([
    verifySnapshot(shared.seen, { signal: either }).catch(stopBoth),
    store.putFile(key, shared.file, { partSize, onPart, signal: either }).catch(stopBoth),
  ])
  // The first failure is the reason; the second is only that it was told to stop.
  if (!report || !stored) throw failures[0]
  await assertUnchanged(file)
  return { stored, partSize, report }
}
