import { MeiliHaError } from '../errors.ts'
import { ByteReader } from './byte-reader.ts'
import { readSparseMap, type SparseMap } from './sparse-map.ts'
import { BLOCK_BYTES, decodeTarHeader, type TarHeader } from './tar-header.ts'

export type TarEvent =
  | { kind: 'directory'; name: Buffer; mode: number }
  /** `size` counts the holes. */
  | { kind: 'file'; name: Buffer; mode: number; size: number }
  /** Content of the file begun last; what no `data` covers is a hole. */
  | { kind: 'data'; bytes: Buffer; position: number }
  | { kind: 'file-end' }

/** Linux takes no longer path. */
const MAX_NAME_BYTES = 4096
/** GNU tar fills up to 10 KiB with zeros; endless zeros are a bomb. */
const MAX_PADDING_BYTES = 1024 * 1024

/**
 * Reads a tar archive to its very end: two zero blocks, then nothing but a little zero padding.
 * Not tar-stream: that takes a sparse file's stored bytes for its content, an archive without an end
 * for a whole one, and what follows the end for more entries.
 * @throws SNAPSHOT_DAMAGED, SNAPSHOT_UNSAFE; SNAPSHOT_FOREIGN when it doesn't begin like one
 */
export async function* readTar(
  source: AsyncIterable<Buffer>,
): AsyncGenerator<TarEvent, void, undefined> {
  const reader = new ByteReader(source)
  let longName: Buffer | undefined
  try {
    for (let first = true; ; first = false) {
      const block = await nextBlock(reader)
      if (isZero(block)) {
        if (longName) throw damaged('it ends after a name')
        return await checkEnd(reader)
      }
      const header = decodeFirst(block, first)
      if (header.type === 'long-name') {
        if (longName) throw damaged('two names follow each other')
        longName = await readLongName(reader, header.storedBytes)
        continue
      }
      const name = longName ?? header.name
      longName = undefined
      if (header.type === 'directory') {
        if (header.storedBytes !== 0) throw damaged('a directory has content')
        yield { kind: 'directory', name, mode: header.mode }
        continue
      }
      const map = await mapOf(header, block, reader)
      yield { kind: 'file', name, mode: header.mode, size: map.size }
      yield* content(reader, map)
      await skipPadding(reader, header.storedBytes)
      yield { kind: 'file-end' }
    }
  } finally {
    await reader.close()
  }
}

function decodeFirst(block: Buffer, first: boolean): TarHeader {
  try {
    return decodeTarHeader(block)
  } catch (cause) {
    if (!first) throw cause
    throw new MeiliHaError('SNAPSHOT_FOREIGN', 'it is not a tar archive', { cause })
  }
}

function mapOf(
  header: TarHeader,
  block: Buffer,
  reader: ByteReader,
): Promise<SparseMap> | SparseMap {
  const size = header.storedBytes
  if (header.type === 'sparse-file') return readSparseMap(block, size, () => nextBlock(reader))
  return { size, extents: [{ offset: 0, length: size }] }
}

async function* content(
  reader: ByteReader,
  map: SparseMap,
): AsyncGenerator<TarEvent, void, undefined> {
  for (const { offset, length } of map.extents) {
    for (let done = 0; done < length;) {
      const bytes = await reader.some(length - done)
      if (bytes.length === 0) throw cutOff()
      yield { kind: 'data', bytes, position: offset + done }
      done += bytes.length
    }
  }
}

async function readLongName(reader: ByteReader, length: number): Promise<Buffer> {
  if (length < 2 || length > MAX_NAME_BYTES) throw damaged('a name is empty or too long')
  const name = await reader.upTo(length)
  if (name.length < length) throw cutOff()
  await skipPadding(reader, length)
  // GNU tar counts the closing NUL; others may not write it.
  return name.at(-1) === 0 ? name.subarray(0, -1) : name
}

async function skipPadding(reader: ByteReader, length: number): Promise<void> {
  const padding = (BLOCK_BYTES - (length % BLOCK_BYTES)) % BLOCK_BYTES
  if (padding > 0 && (await reader.upTo(padding)).length < padding) throw cutOff()
}

async function nextBlock(reader: ByteReader): Promise<Buffer> {
  const block = await reader.upTo(BLOCK_BYTES)
  if (block.length < BLOCK_BYTES) throw cutOff()
  return block
}

/** After the first zero block. */
async function checkEnd(reader: ByteReader): Promise<void> {
  if (!isZero(await nextBlock(reader))) throw damaged('its end mark is wrong')
  let padding = 0
  for await (const bytes of reader.rest()) {
    padding += bytes.length
    if (padding > MAX_PADDING_BYTES || !isZero(bytes)) throw damaged('something follows its end')
  }
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0)
}

function cutOff(): MeiliHaError {
  return damaged('it ends too early')
}

function damaged(how: string): MeiliHaError {
  return new MeiliHaError('SNAPSHOT_DAMAGED', `the tarball is damaged: ${how}`)
}
