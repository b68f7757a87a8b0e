import { computeDigests, PartDigests } from '@meili-ha/core/archive/digests.ts'
import { snapshotsOf, type PartialView } from '@meili-ha/core/catalog/catalog-view.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { formatUtc, parseKey } from '@meili-ha/core/catalog/names.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { partSizeFor } from '@meili-ha/core/store/part-size.ts'
import { readChunks } from './read-chunks.ts'
import type { SnapshotFile } from './snapshot-file.ts'

/**
 * The manifest under which this very file was published in this epoch: what a restarted uploader
 * finds lying there. Size and time in the name must fit before the file is read and hashed.
 * @throws CANCELLED when `signal` aborts
 */
export async function findPublished(
  view: PartialView,
  epoch: number,
  file: SnapshotFile,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  const utc = formatUtc(file.modifiedAt)
  const alike = snapshotsOf(view).filter(({ manifest, epoch: its }) => {
    const name = manifest.object && parseKey(manifest.object.key)
    return (
      its === epoch &&
      manifest.object?.size === file.size &&
      name?.kind === 'tarball' &&
      name.utc === utc
    )
  })
  if (alike.length === 0) return undefined
  const digests = new PartDigests(partSizeFor(file.size))
  for await (const _ of computeDigests(readChunks(file.handle, file.size), digests)) {
    // Only the digests are wanted, and not while a claim or a final waits.
    if (signal.aborted) throw new MeiliHaError('CANCELLED', 'hashing was told to stop')
  }
  const { sha256 } = digests.finish()
  return alike.find(({ manifest }) => manifest.object?.sha256 === sha256)?.manifest
}
