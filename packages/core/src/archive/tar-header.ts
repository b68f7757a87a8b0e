import { MeiliHaError } from '../errors.ts'

export const BLOCK_BYTES = 512

const GNU_MAGIC = 'ustar  \0'
const POSIX_MAGIC = 'ustar\x0000'

/** What a header block says. `long-name`: its content is the name of the entry that follows. */
export interface TarHeader {
  type: 'file' | 'directory' | 'sparse-file' | 'long-name'
  /** As it stands there: raw bytes, neither decoded nor judged. */
  name: Buffer
  /** Permission bits, and whatever else stands there. */
  mode: number
  /** Bytes of content in the archive (of a sparse file: without its holes). */
  storedBytes: number
}

/**
 * Reads one header block. Knows what Meilisearch's snapshots hold (GNU headers: files, sparse files,
 * directories, long names) and the same from POSIX tar, and nothing else.
 * @throws SNAPSHOT_DAMAGED when it isn't a header; SNAPSHOT_UNSAFE for a kind of entry that no snapshot has
 */
export function decodeTarHeader(block: Buffer): TarHeader {
  if (readNumber(block, 148, 8) !== checksum(block)) throw damaged('a tar header is wrong')
  const magic = block.toString('latin1', 257, 265)
  const gnu = magic === GNU_MAGIC
  if (!gnu && magic !== POSIX_MAGIC) throw damaged('a tar header is of an unknown format')
  const type = typeOf(block[156] as number, gnu)
  const name = readText(block, 0, 100)
  // In GNU headers these bytes hold times and the sparse map instead.
  const prefix = gnu ? Buffer.alloc(0) : readText(block, 345, 155)
  return {
    type,
    name: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    mode: readNumber(block, 100, 8),
    storedBytes: readNumber(block, 124, 12),
  }
}

/** A GNU header block, as Meilisearch writes them. `mtime` is in seconds. */
export function encodeTarHeader(entry: {
  type: 'file' | 'directory'
  /** At most 100 bytes. */
  name: string
  mode: number
  size: number
  mtime: number
}): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  if (Buffer.byteLength(entry.name) > 100) throw new RangeError('a tar name has at most 100 bytes')
  block.write(entry.name, 0)
  writeNumber(block, 100, 8, entry.mode)
  // Owners say nothing at the other end: whoever unpacks owns it.
  writeNumber(block, 108, 8, 0)
  writeNumber(block, 116, 8, 0)
  writeNumber(block, 124, 12, entry.size)
  writeNumber(block, 136, 12, entry.mtime)
  block.write(entry.type === 'directory' ? '5' : '0', 156)
  block.write(GNU_MAGIC, 257, 'latin1')
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** A number of a header: octal text, or GNU's base 256 for what doesn't fit. */
export function readNumber(block: Buffer, offset: number, length: number): number {
  if (block[offset] === 0x80) {
    const value = BigInt(`0x${block.toString('hex', offset + 1, offset + length)}`)
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw damaged('a number in a tar header is too large')
    return Number(value)
  }
  const text = /^ *([0-7]+)[ \0]*$/.exec(block.toString('latin1', offset, offset + length))
  if (!text) throw damaged('a number in a tar header is wrong')
  return Number.parseInt(text[1] as string, 8)
}

function writeNumber(block: Buffer, offset: number, length: number, value: number): void {
  const octal = value.toString(8)
  if (octal.length < length) {
    block.write(octal.padStart(length - 1, '0'), offset)
  } else {
    block[offset] = 0x80
    block.write(value.toString(16).padStart((length - 1) * 2, '0'), offset + 1, 'hex')
  }
}

/** Bytes up to the first NUL, which may only be followed by more of them. */
function readText(block: Buffer, offset: number, length: number): Buffer {
  const field = block.subarray(offset, offset + length)
  const end = field.indexOf(0)
  if (end === -1) return field
  if (!field.subarray(end).every((byte) => byte === 0)) throw damaged('a tar header is wrong')
  return field.subarray(0, end)
}

/** The sum of all bytes, those of the checksum itself counted as spaces. */
function checksum(block: Buffer): number {
  let sum = 8 * 32
  for (let i = 0; i < BLOCK_BYTES; i++) if (i < 148 || i >= 156) sum += block[i] as number
  return sum
}

function typeOf(flag: number, gnu: boolean): TarHeader['type'] {
  const letter = String.fromCharCode(flag)
  if (letter === '0' || letter === '\0') return 'file'
  if (letter === '5') return 'directory'
  // Meilisearch's tar writer stores files with holes so: LMDB's lock file is one in every snapshot.
  if (gnu && letter === 'S') return 'sparse-file'
  if (gnu && letter === 'L') return 'long-name'
  throw new MeiliHaError(
    'SNAPSHOT_UNSAFE',
    `the tarball holds something that is neither file nor directory (tar type ${JSON.stringify(letter)})`,
  )
}

function damaged(how: string): MeiliHaError {
  return new MeiliHaError('SNAPSHOT_DAMAGED', `the tarball is damaged: ${how}`)
}
