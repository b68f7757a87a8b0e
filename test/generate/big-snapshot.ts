import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack, type Pack } from 'tar-stream'

const BLOCK = randomBytes(1024 * 1024)

/**
 * Writes a tarball laid out as Meilisearch lays out its snapshots, of about `size` bytes that don't
 * compress. Level 0: generating it must not cost more than what is measured on it.
 */
export async function bigSnapshot(path: string, size: number): Promise<void> {
  const tar = pack()
  const written = pipeline(
    tar,
    createGzip({ level: 0, chunkSize: 1024 * 1024 }),
    createWriteStream(path),
  )
  const small = async (name: string, content: string) => {
    await entry(tar, name, Buffer.byteLength(content), [Buffer.from(content)])
  }
  await directory(tar, './')
  await small('VERSION', '1.50.0')
  for (const name of ['update_files', 'indexes', 'indexes/00000000-0000-4000-8000-000000000000']) {
    await directory(tar, name)
  }
  const index = 'indexes/00000000-0000-4000-8000-000000000000/data.mdb'
  await entry(tar, index, size, blocks(size))
  await directory(tar, 'tasks')
  await small('tasks/data.mdb', 'tasks')
  await directory(tar, 'auth')
  await small('auth/data.mdb', 'auth')
  tar.finalize()
  await written
}

function* blocks(size: number): Generator<Buffer> {
  for (let left = size; left > 0; left -= BLOCK.length) {
    // Different blocks, so that a part that was swapped or sent twice shows.
    const block = Buffer.from(BLOCK)
    block.writeDoubleLE(left, 0)
    yield block.subarray(0, Math.min(left, block.length))
  }
}

function directory(tar: Pack, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry({ name, type: 'directory', mode: 0o755 }, (error) =>
      error ? reject(error) : resolve(),
    )
  })
}

async function entry(
  tar: Pack,
  name: string,
  size: number,
  content: Iterable<Buffer>,
): Promise<void> {
  let done: (error?: Error | null) => void = () => {}
  const ended = new Promise<void>((resolve, reject) => {
    done = (error) => (error ? reject(error) : resolve())
  })
  const stream = tar.entry({ name, size, mode: 0o600 }, (error) => done(error))
  for (const chunk of content) {
    if (!stream.write(chunk))
      await new Promise<void>((resolve) => stream.once('drain', () => resolve()))
  }
  stream.end(null)
  await ended
}
