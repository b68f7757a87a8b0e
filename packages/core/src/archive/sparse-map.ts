import { MeiliHaError } from '../errors.ts'
import { BLOCK_BYTES, readNumber } from './tar-header.ts'

/** Where the stored bytes of a file with holes belong. */
export interface SparseMap {
  /** Bytes of the file, holes included. */
  size: number
  /** Ascending, without overlap; what lies between them reads as zeros. */
  extents: { offset: number; length: number }[]
}

/** A map is held in memory; 100,000 extents are 2.4 MB of it and more than LMDB's files come to. */
const MAX_EXTENTS = 100_000

/**
 * Reads GNU tar's map of a sparse file (its old format, 0.0): four extents in the header block, 21 in each
 * block that follows while there are more.
 * @throws SNAPSHOT_DAMAGED when it contradicts itself
 */
export async function readSparseMap(
  header: Buffer,
  storedBytes: number,
  nextBlock: () => Promise<Buffer>,
): Promise<SparseMap> {
  const size = readNumber(header, 483, 12)
  const extents: SparseMap['extents'] = []
  let more = readExtents(header, 386, 4, extents)
  while (more) {
    if (extents.length > MAX_EXTENTS) throw damaged('has too many holes')
    more = readExtents(await nextBlock(), 0, 21, extents)
  }
  let end = 0
  let stored = 0
  for (const { offset, length } of extents) {
    // An odd length inside would leave two readings of where the next extent's bytes begin.
    if (offset < end || stored % BLOCK_BYTES !== 0) throw damaged('overlaps itself')
    end = offset + length
    stored += length
  }
  if (end > size || stored !== storedBytes) throw damaged('does not fit its size')
  return { size, extents }
}

/** Appends the extents of one block; true when another block of them follows. */
function readExtents(
  block: Buffer,
  start: number,
  count: number,
  extents: SparseMap['extents'],
): boolean {
  for (let i = start; i < start + count * 24 && block[i] !== 0; i += 24) {
    extents.push({ offset: readNumber(block, i, 12), length: readNumber(block, i + 12, 12) })
  }
  return block[start + count * 24] === 1
}

function damaged(how: string): MeiliHaError {
  return new MeiliHaError('SNAPSHOT_DAMAGED', `the tarball is damaged: a file with holes ${how}`)
}
