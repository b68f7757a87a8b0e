import { gzipSync } from 'node:zlib'
import { encodeTarHeader } from './tar-header.ts'

/** One entry of a made-up tarball; what isn't given is as Meilisearch would write it. */
export interface FixtureEntry {
  name: string
  /** A tar type letter: `0` file, `5` directory, `2` symbolic link, … */
  type?: string
  content?: string | Buffer
  mode?: number
  /** Says another size than the content has. */
  size?: number
  /** Changes the header before its checksum is made. */
  patch?: (header: Buffer) => void
}

/** The least that is a snapshot. */
export const SMALLEST: FixtureEntry[] = [
  { name: './', type: '5' },
  { name: 'VERSION', content: '1.50.0', mode: 0o600 },
  { name: 'tasks', type: '5' },
  { name: 'tasks/data.mdb', content: 'tasks' },
  { name: 'auth', type: '5' },
  { name: 'auth/data.mdb', content: 'auth' },
]

export function tarHeader(entry: FixtureEntry): Buffer {
  const header = encodeTarHeader({
    type: entry.type === '5' ? 'directory' : 'file',
    name: '',
    mode: entry.mode ?? (entry.type === '5' ? 0o755 : 0o644),
    size: entry.size ?? Buffer.byteLength(entry.content ?? ''),
    mtime: 1_795_000_000,
  })
  header.write(entry.name, 0, 100, 'latin1')
  header.write(entry.type ?? '0', 156, 'latin1')
  entry.patch?.(header)
  return withChecksum(header)
}

export function withChecksum(header: Buffer): Buffer {
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

export function padded(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string)
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

export const END_OF_TAR = Buffer.alloc(1024)

export function tar(entries: FixtureEntry[], end = END_OF_TAR): Buffer {
  return Buffer.concat([
    ...entries.flatMap((entry) => [tarHeader(entry), padded(entry.content ?? '')]),
    end,
  ])
}

/** A whole tarball: the smallest snapshot, and `more` after it. */
export function tarball(more: FixtureEntry[] = []): Buffer {
  return gzipSync(tar([...SMALLEST, ...more]))
}

/** The bytes in pieces of `size`, each in memory of its own that is wiped when the next is asked for. */
export async function* inPieces(
  bytes: Buffer,
  size = 65_536,
): AsyncGenerator<Buffer, void, undefined> {
  for (let i = 0; i < bytes.length; i += size) {
    const piece = Buffer.from(bytes.subarray(i, i + size))
    yield piece
    piece.fill(0xff)
  }
}
