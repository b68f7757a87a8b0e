import { constants, type Stats } from 'node:fs'
import { lstat, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createGzip, type Gzip } from 'node:zlib'
import { LINEAGE_FILE } from '../data-dir/lineage.ts'
import { MeiliHaError } from '../errors.ts'
import { lmdbUsedBytes } from './lmdb-used-bytes.ts'
import { storeGzip } from './store-gzip.ts'
import { BLOCK_BYTES, encodeTarHeader } from './tar-header.ts'

export interface ArchiveOptions {
  /** gzip level; 0 (stored) unless told: 1 GB/s where level 1 makes 82 MB/s. */
  level?: number
  signal?: AbortSignal
}

/** Read at once, always into the same buffer; it and gzip's own are all the memory an archive takes. */
const CHUNK_BYTES = 256 * 1024

/** Files without which a directory isn't a whole database. */
const REQUIRED_FILES = ['VERSION', 'tasks/data.mdb', 'auth/data.mdb']

/**
 * The gzipped tarball of a *stopped* data directory, laid out as Meilisearch's own snapshots are:
 * `./`, then names without it. `meili-ha.json` stays behind, and LMDB's lock files, which it
 * makes anew. Errors of the stream: SNAPSHOT_FOREIGN (not a whole data directory), SNAPSHOT_UNSAFE
 * (neither file nor directory), SNAPSHOT_DAMAGED (changed while it was read), CANCELLED.
 */
export function archiveDirectory(dataMs: string, options: ArchiveOptions = {}): Readable {
  const { level = 0, signal } = options
  const tar = tarOf(dataMs, signal)
  if (level === 0) return Readable.from(storeGzip(tar), { objectMode: false })
  const gzip = createGzip({ level, chunkSize: CHUNK_BYTES })
  // The error reaches whoever reads `gzip`.
  feed(gzip, tar).catch((error: Error) => gzip.destroy(error))
  return gzip
}

/** Not a pipeline: that asks for the next chunk, and so uses its memory again, too early. */
async function feed(gzip: Gzip, chunks: AsyncGenerator<Buffer>): Promise<void> {
  for await (const chunk of chunks) {
    await new Promise<void>((resolve) => gzip.write(chunk, () => resolve()))
    if (gzip.destroyed) return
  }
  gzip.end()
}

/** A chunk holds until the next one is asked for. */
async function* tarOf(
  dataMs: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const found = new Set<string>()
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  for await (const { name, stats } of walk(dataMs, '')) {
    if (signal?.aborted) throw cancelled()
    found.add(name)
    const mode = stats.mode & 0o777
    const mtime = Math.max(0, Math.floor(stats.mtimeMs / 1000))
    if (stats.isDirectory()) {
      yield encodeTarHeader({ type: 'directory', name: name || './', mode, size: 0, mtime })
    } else {
      yield* fileOf(join(dataMs, name), name, { stats, mode, mtime, buffer }, signal)
    }
  }
  const missing = REQUIRED_FILES.filter((name) => !found.has(name))
  if (missing.length > 0) {
    throw new MeiliHaError('SNAPSHOT_FOREIGN', `${dataMs} has no ${missing.join(', no ')}`)
  }
  yield Buffer.alloc(2 * BLOCK_BYTES)
}

/** Every directory before what is in it, by name; capitals, and so VERSION, come first. */
async function* walk(
  root: string,
  name: string,
): AsyncGenerator<{ name: string; stats: Stats }, void, undefined> {
  const stats = await lstat(join(root, name))
  if (!stats.isFile() && !stats.isDirectory()) {
    throw new MeiliHaError(
      'SNAPSHOT_UNSAFE',
      `${join(root, name)} is neither file nor directory; a database holds nothing else`,
    )
  }
  yield { name, stats }
  if (!stats.isDirectory()) return
  const children = await readdir(join(root, name))
  for (const child of children.toSorted((a, b) => (a < b ? -1 : 1))) {
    if (child === 'lock.mdb' || (name === '' && child === LINEAGE_FILE)) continue
    yield* walk(root, name === '' ? child : `${name}/${child}`)
  }
}

/** Header, content and padding of one file: exactly the bytes that the header announced, or an error. */
async function* fileOf(
  path: string,
  name: string,
  { stats, mode, mtime, buffer }: { stats: Stats; mode: number; mtime: number; buffer: Buffer },
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const changed = () =>
    new MeiliHaError('SNAPSHOT_DAMAGED', `${name} changed while it was archived`)
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const size = name.endsWith('data.mdb') ? await lmdbUsedBytes(handle, stats) : stats.size
    yield encodeTarHeader({ type: 'file', name, mode, size, mtime })
    for (let position = 0; position < size;) {
      if (signal?.aborted) throw cancelled()
      const wanted = Math.min(CHUNK_BYTES, size - position)
      const { bytesRead } = await handle.read(buffer, 0, wanted, position)
      if (bytesRead === 0) throw changed()
      yield buffer.subarray(0, bytesRead)
      position += bytesRead
    }
    const after = await handle.stat()
    if (after.size !== stats.size || after.mtimeMs !== stats.mtimeMs || after.ino !== stats.ino) {
      throw changed()
    }
    yield Buffer.alloc((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES)
  } finally {
    await handle.close()
  }
}

function cancelled(): MeiliHaError {
  return new MeiliHaError('CANCELLED', 'archiving was told to stop')
}
