import { crc32, createInflateRaw, type InflateRaw, type ZlibOptions } from 'node:zlib'
import { MeiliHaError, messageOf } from '../errors.ts'
import { ByteReader } from './byte-reader.ts'

/**
 * Bytes of one piece of output. Measured on 1 GiB that doesn't compress, at 115 MiB each: 128 KiB takes a publish 3.0 s
 * of CPU, 256 KiB 2.9, 512 KiB 2.8; 1 MiB takes a restore 15 % more time.
 */
const CHUNK_BYTES = 512 * 1024
/** Pieces inflated ahead of the reader, so that inflating and writing overlap. */
const CHUNKS_AHEAD = 4

/** Flags of the gzip header (RFC 1952, 2.3.1). */
const FHCRC = 2
const FEXTRA = 4
const FNAME = 8
const FCOMMENT = 16

/**
 * Inflates exactly one gzip member and checks everything RFC 1952 lets one check. Node's own Gunzip
 * isn't used: it goes on into further members and ignores what follows them, so that it can see
 * other content than Meilisearch, which reads the first member only. A yielded piece holds until the next one
 * is asked for (copy what must last), and so may the pieces of `source`.
 * @throws SNAPSHOT_FOREIGN when it isn't gzip; SNAPSHOT_DAMAGED when it is cut off, its bytes are
 * wrong, or anything follows
 */
export async function* gunzip(
  source: AsyncIterable<Buffer>,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const reader = new ByteReader(source)
  const options: ZlibOptions & { readableObjectMode: true; readableHighWaterMark: number } = {
    chunkSize: CHUNK_BYTES,
    // Pieces as they are: in byte mode a reader that lags gets them copied into one.
    readableObjectMode: true,
    readableHighWaterMark: CHUNKS_AHEAD,
  }
  const inflate = createInflateRaw(options)
  // Destroyed before it is read from below, it would take the process with it.
  inflate.on('error', () => undefined)
  const cancel = () => inflate.destroy(cancelled())
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    if (signal?.aborted) throw cancelled()
    await skipHeader(reader)
    const trailer = feed(reader, inflate)
    // Its failure is the stream's failure too, which is thrown below.
    trailer.catch((error: Error) => inflate.destroy(error))
    let crc = 0
    let size = 0
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      crc = crc32(chunk, crc)
      size += chunk.length
      yield chunk
      release(chunk)
    }
    checkTrailer(await trailer, crc, size)
    if (signal?.aborted) throw cancelled()
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw damaged(`its compressed data is wrong or cut off (${messageOf(error)})`, error)
    }
    throw error
  } finally {
    signal?.removeEventListener('abort', cancel)
    inflate.destroy()
    // Not awaited: a source that hangs is its owner's to end.
    reader.close().catch(() => undefined)
  }
}

/**
 * Frees the memory of a piece of output at once. Left to the garbage collector, they pile up to some
 * 70 MiB before it notices. A piece that doesn't fill its buffer shares it with the next one.
 */
function release(chunk: Buffer): void {
  const memory = chunk.buffer as ArrayBuffer
  if (chunk.byteOffset + chunk.length === memory.byteLength) memory.transfer(0)
}

/** Gives `inflate` what is compressed, and returns what follows it: 9 bytes at most. */
async function feed(reader: ByteReader, inflate: InflateRaw): Promise<Buffer> {
  let given = 0
  let unused = Buffer.alloc(0)
  for await (const chunk of reader.rest()) {
    if (inflate.destroyed) return unused
    await new Promise<void>((resolve) => inflate.write(chunk, () => resolve()))
    given += chunk.length
    // It stops taking bytes where the compressed data says it ends.
    if (inflate.bytesWritten < given) {
      unused = Buffer.from(
        chunk.subarray(chunk.length - (given - inflate.bytesWritten)).subarray(0, 9),
      )
      break
    }
  }
  inflate.end()
  return Buffer.concat([unused, await reader.upTo(9 - unused.length)])
}

function checkTrailer(trailer: Buffer, crc: number, size: number): void {
  if (trailer.length < 8) throw damaged('it is cut off within its checksum')
  if (trailer.length > 8) throw damaged('something follows its end')
  if (trailer.readUInt32LE(0) !== crc) throw damaged('its checksum is wrong')
  if (trailer.readUInt32LE(4) !== size % 2 ** 32) throw damaged('its length is wrong')
}

async function skipHeader(reader: ByteReader): Promise<void> {
  let header = Buffer.alloc(0)
  const take = async (length: number) => {
    const bytes = await reader.upTo(length)
    if (bytes.length < length) throw damaged('it is cut off within its header')
    header = Buffer.concat([header, bytes])
    return bytes
  }
  const takeText = async () => {
    for (let length = 0; (await take(1))[0] !== 0; length++) {
      if (length > 4096) throw damaged('its header has no end')
    }
  }
  const start = await take(2)
  if (start.readUInt16BE(0) !== 0x1f8b) {
    throw new MeiliHaError('SNAPSHOT_FOREIGN', 'it is not gzip')
  }
  const [method, flags] = (await take(8)) as unknown as [number, number]
  if (method !== 8 || (flags & 0xe0) !== 0) throw damaged('its header is wrong')
  if (flags & FEXTRA) await take((await take(2)).readUInt16LE(0))
  if (flags & FNAME) await takeText()
  if (flags & FCOMMENT) await takeText()
  if (flags & FHCRC) {
    const expected = crc32(header) & 0xffff
    if ((await take(2)).readUInt16LE(0) !== expected) throw damaged('its header is wrong')
  }
}

function cancelled(): MeiliHaError {
  return new MeiliHaError('CANCELLED', 'reading was told to stop')
}

function damaged(how: string, cause?: unknown): MeiliHaError {
  return new MeiliHaError('SNAPSHOT_DAMAGED', `the tarball is damaged: ${how}`, { cause })
}
