import type { UnfinishedUpload } from '../store/store.ts'
import type { PartialView } from './catalog-view.ts'
import { comparePositions, formatUtc, parseKey, type Position } from './names.ts'

/**
 * The seq for new content in this epoch: above everything that any manifest, tarball or
 * unfinished upload bears. A tarball comes before its manifest, so a late PUT of a dead uploader
 * can never overwrite other content: what it sends has its seq in one of the three already.
 * @param noted published.json's `nextSeq`, where there is one: the lowest seq not used yet, noted
 * before the first request that uses it
 */
export function nextSeq(
  view: PartialView,
  uploads: readonly UnfinishedUpload[],
  epoch: number,
  noted: Position | null = null,
): number {
  const seqs = [...usedPositions(view, uploads)]
    .filter((used) => used.epoch === epoch)
    .map((used) => used.seq)
  const lowest = noted?.epoch === epoch ? noted.seq : 1
  return seqs.reduce((next, seq) => Math.max(next, seq + 1), Math.max(lowest, 1))
}

/**
 * The unfinished upload that a killed uploader left of this very file: same epoch, same time in
 * the name, and nothing published above it since, or it would come out older than what is there.
 * @param at when the snapshot was finished, as given to tarballKey
 */
export function resumableUpload(
  view: PartialView,
  uploads: readonly UnfinishedUpload[],
  epoch: number,
  at: Date,
): UnfinishedUpload | undefined {
  const newest = view.entries[0]
  return uploads.find((upload) => {
    const name = parseKey(upload.key)
    if (name?.kind !== 'tarball' || name.epoch !== epoch || name.utc !== formatUtc(at)) return false
    return !newest || comparePositions(name, newest) > 0
  })
}

function* usedPositions(
  view: PartialView,
  uploads: readonly UnfinishedUpload[],
): Generator<Position> {
  yield* view.entries
  for (const key of [...view.tarballs.keys(), ...uploads.map((upload) => upload.key)]) {
    const name = parseKey(key)
    if (name) yield name
  }
}
