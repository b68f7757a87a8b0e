import { readFileSync } from 'node:fs'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { extract } from 'tar-stream'
import { describe, expect, test } from 'vitest'
import { isError } from '../errors.ts'
import { readSnapshot, type SnapshotReadOptions } from './snapshot-stream.ts'
import {
  END_OF_TAR,
  inPieces,
  padded,
  SMALLEST,
  tar,
  tarball,
  tarHeader,
  withChecksum,
  type FixtureEntry,
} from './tarball.fixture.ts'
import { verifySnapshot } from './verify-snapshot.ts'

const FIXTURES = join(import.meta.dirname, '../../../../test/fixtures')
const fixture = (name: string) => readFileSync(join(FIXTURES, `${name}.snapshot`))

const verify = (bytes: Buffer, pieceSize?: number, options?: SnapshotReadOptions) =>
  verifySnapshot(inPieces(bytes, pieceSize), options)

/** How it is refused, without the prefix; `taken` when it isn't. */
async function verdict(bytes: Buffer, pieceSize?: number): Promise<string> {
  try {
    await verify(bytes, pieceSize)
    return 'taken'
  } catch (error) {
    if (!isError(error)) throw error
    return error.code.replace('MEILI_HA_', '')
  }
}

/** Name to content, as our reader sees it. */
async function contentOf(bytes: Buffer): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  let current = { name: '', content: Buffer.alloc(0) }
  for await (const event of readSnapshot(inPieces(bytes))) {
    if (event.kind === 'file') current = { name: event.name, content: Buffer.alloc(event.size) }
    if (event.kind === 'data') event.bytes.copy(current.content, event.position)
    if (event.kind === 'file-end') files.set(current.name, current.content.toString('hex'))
  }
  return files
}

/** The same as tar-stream sees it. */
function contentByTarStream(tarBytes: Buffer): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  return new Promise((resolve, reject) => {
    const reader = extract()
    reader.on('entry', (header, stream, next) => {
      const pieces: Buffer[] = []
      stream.on('data', (piece) => pieces.push(piece as Buffer))
      stream.on('end', () => {
        if (header.type === 'file') files.set(header.name, Buffer.concat(pieces).toString('hex'))
        next()
      })
    })
    reader.on('finish', () => resolve(files))
    reader.on('error', reject)
    reader.end(tarBytes)
  })
}

describe('a snapshot that Meilisearch wrote', () => {
  test.each([
    ['empty', { version: '1.50.0', entries: 7, unpackedBytes: 86_022, indexes: 0 }],
    ['catalogue', { version: '1.50.0', entries: 14, unpackedBytes: 3_653_638, indexes: 3 }],
    ['backlog', { version: '1.50.0', entries: 37, unpackedBytes: 5_517_813, indexes: 3 }],
    ['v1.37', { version: '1.37.0', entries: 10, unpackedBytes: 413_702, indexes: 1 }],
  ])('is taken, with what %s holds', async (name, report) => {
    expect(await verify(fixture(name))).toEqual(report)
  })

  test('is read the same in pieces of any size', async () => {
    const bytes = fixture('v1.37')
    const report = await verify(bytes)
    for (const pieceSize of [7, 511, 512, 513, 8192, bytes.length]) {
      expect(await verify(bytes, pieceSize)).toEqual(report)
    }
  })

  test('tells its progress', async () => {
    const seen: number[] = []
    await verify(fixture('catalogue'), undefined, { onProgress: (bytes) => seen.push(bytes) })
    // The holes of lock.mdb aren't read.
    expect(seen.at(-1)).toBe(3_653_638 - 8192 + 4096)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  })

  test('stops with CANCELLED, before and within', async () => {
    const bytes = fixture('catalogue')
    await expect(verify(bytes, undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'MEILI_HA_CANCELLED',
    })
    const controller = new AbortController()
    const onProgress = () => controller.abort()
    await expect(
      verify(bytes, 4096, { signal: controller.signal, onProgress }),
    ).rejects.toMatchObject({ code: 'MEILI_HA_CANCELLED' })
  })

  test('stops with CANCELLED while it waits for its first and its last bytes', async () => {
    const bytes = fixture('empty')
    for (const before of [0, 1, 5, 100, bytes.length - 2]) {
      const controller = new AbortController()
      async function* slow() {
        yield bytes.subarray(0, before)
        // The next tick, and some more for the inflating thread.
        controller.abort()
        await setImmediate()
        yield bytes.subarray(before)
      }
      await expect(
        verifySnapshot(slow(), { signal: controller.signal }),
        `${before}`,
      ).rejects.toMatchObject({ code: 'MEILI_HA_CANCELLED' })
    }
  })

  test("stops with the source's own error, and closes the source", async () => {
    const failure = new Error('the network went away')
    let closed = false
    async function* failing() {
      try {
        yield fixture('catalogue').subarray(0, 100_000)
        throw failure
      } finally {
        closed = true
      }
    }
    await expect(verifySnapshot(failing())).rejects.toBe(failure)
    expect(closed).toBe(true)
  })
})

describe('a damaged snapshot is refused', () => {
  test('cut off anywhere: at every 64 KiB, at every byte near both ends', async () => {
    const whole = fixture('v1.37')
    const cuts = new Set<number>()
    for (let i = 0; i < 60; i++) cuts.add(i).add(whole.length - 1 - i)
    const large = fixture('catalogue')
    for (const cut of cuts)
      expect(await verdict(whole.subarray(0, cut)), `${cut}`).not.toBe('taken')
    for (let cut = 0; cut < large.length; cut += 65_536) {
      expect(await verdict(large.subarray(0, cut)), `${cut}`).toMatch(/DAMAGED|FOREIGN/)
    }
  })

  test('with one bit flipped anywhere, unless no byte of content hangs on it', async () => {
    const whole = fixture('empty')
    const content = await contentOf(whole)
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(7), async (at, bit) => {
        const flipped = Buffer.from(whole)
        flipped[at] = (flipped[at] as number) ^ (1 << bit)
        // The header's time, and the bits that fill up the last compressed byte.
        if ((await verdict(flipped)) !== 'taken') return
        assert.deepEqual(await contentOf(flipped), content)
      }),
      { numRuns: 400 },
    )
  })

  test.each([
    ['a wrong checksum', (b: Buffer) => b.writeUInt32LE(7, b.length - 8)],
    ['a wrong length', (b: Buffer) => b.writeUInt32LE(7, b.length - 4)],
  ])('with %s', async (_, damage) => {
    const bytes = tarball()
    damage(bytes)
    expect(await verdict(bytes)).toBe('SNAPSHOT_DAMAGED')
    expect(await verdict(bytes, 1)).toBe('SNAPSHOT_DAMAGED')
  })

  test.each([
    ['nothing at all', Buffer.alloc(0), 'SNAPSHOT_DAMAGED'],
    ['garbage', Buffer.from('this is no snapshot'), 'SNAPSHOT_FOREIGN'],
    ['gzipped nothing', gzipSync(''), 'SNAPSHOT_DAMAGED'],
    ['gzipped garbage', gzipSync(Buffer.alloc(4096, 'x')), 'SNAPSHOT_FOREIGN'],
    ['an empty tar', gzipSync(END_OF_TAR), 'SNAPSHOT_FOREIGN'],
    ['no trailer', tarball().subarray(0, -8), 'SNAPSHOT_DAMAGED'],
    ['half a trailer', tarball().subarray(0, -3), 'SNAPSHOT_DAMAGED'],
    ['a byte behind it', Buffer.concat([tarball(), Buffer.from('x')]), 'SNAPSHOT_DAMAGED'],
    ['zeros behind it', Buffer.concat([tarball(), Buffer.alloc(512)]), 'SNAPSHOT_DAMAGED'],
    ['a second member', Buffer.concat([tarball(), tarball()]), 'SNAPSHOT_DAMAGED'],
    ['an empty first member', Buffer.concat([gzipSync(''), tarball()]), 'SNAPSHOT_DAMAGED'],
    ['no end of tar', gzipSync(tar(SMALLEST, Buffer.alloc(0))), 'SNAPSHOT_DAMAGED'],
    ['half an end of tar', gzipSync(tar(SMALLEST, Buffer.alloc(512))), 'SNAPSHOT_DAMAGED'],
    [
      'an end with a gap',
      gzipSync(tar(SMALLEST, Buffer.alloc(1024, '\0'.repeat(600) + 'x'))),
      'SNAPSHOT_DAMAGED',
    ],
    [
      'an entry after the end',
      gzipSync(Buffer.concat([tar(SMALLEST), tar(SMALLEST)])),
      'SNAPSHOT_DAMAGED',
    ],
    ['endless zeros', gzipSync(tar(SMALLEST, Buffer.alloc(3 << 20))), 'SNAPSHOT_DAMAGED'],
    ['a size beyond the end', tarball([{ name: 'x', size: 10_000_000 }]), 'SNAPSHOT_DAMAGED'],
    [
      'a directory with content',
      tarball([{ name: 'd', type: '5', content: 'x' }]),
      'SNAPSHOT_DAMAGED',
    ],
  ])('%s', async (_, bytes, code) => {
    expect(await verdict(bytes)).toBe(code)
    expect(await verdict(bytes, 13)).toBe(code)
  })

  test('zero padding as other tars write it is no damage', async () => {
    expect(await verdict(gzipSync(tar(SMALLEST, Buffer.alloc(10_240))))).toBe('taken')
  })
})

describe('what is no Meilisearch snapshot is refused', () => {
  test.each(['VERSION', 'tasks/data.mdb', 'auth/data.mdb'])('without %s', async (name) => {
    expect(await verdict(gzipSync(tar(SMALLEST.filter((entry) => entry.name !== name))))).toBe(
      'SNAPSHOT_FOREIGN',
    )
  })

  test.each(['', '1.50', '1.50.0\n', 'PG_VERSION', '1'.repeat(40)])(
    'VERSION %j',
    async (content) => {
      const entries = SMALLEST.map((entry) =>
        entry.name === 'VERSION' ? { ...entry, content } : entry,
      )
      expect(await verdict(gzipSync(tar(entries)))).toBe('SNAPSHOT_FOREIGN')
    },
  )
})

describe('an unsafe entry is refused', () => {
  const file = (name: string): FixtureEntry => ({ name, content: 'x' })
  test.each<[string, FixtureEntry[]]>([
    ['absolute', [file('/etc/passwd')]],
    ['up', [file('../evil')]],
    ['up within', [file('tasks/../../evil')]],
    ['only up', [{ name: '..', type: '5' }]],
    ['a dot inside', [file('tasks/./x')]],
    ['two dots in front', [file('././x')]],
    ['an empty segment', [file('tasks//x')]],
    ['empty', [file('')]],
    ['a file called as the root', [file('./')]],
    ['a file with a slash behind', [file('tasks/x/')]],
    ['backslash', [file('tasks\\x')]],
    ['newline', [file('a\nb')]],
    ['not UTF-8', [file('a\xff\xfeb')]],
    ['too long a segment', longNamed('x'.repeat(256))],
    ['too long', longNamed(Array(12).fill('y'.repeat(100)).join('/'))],
    ['NUL in a long name', longNamed('a\0b')],
    ['symbolic link', [{ name: 'tasks/link', type: '2' }]],
    ['hard link', [{ name: 'tasks/link', type: '1' }]],
    ['character device', [{ name: 'dev', type: '3' }]],
    ['block device', [{ name: 'dev', type: '4' }]],
    ['fifo', [{ name: 'fifo', type: '6' }]],
    ['contiguous file', [{ name: 'file', type: '7' }]],
    ['pax header', [{ name: 'pax', type: 'x', content: '12 path=ab\n' }]],
    ['global pax header', [{ name: 'pax', type: 'g', content: '12 path=ab\n' }]],
    ['long link', [{ name: 'link', type: 'K', content: 'target\0' }]],
    ['the same file twice', [file('x'), file('x')]],
    ['the same file in another spelling', [file('x'), file('./x')]],
    ['the root twice', [{ name: '.', type: '5' }]],
    ['a directory that is a file', [file('x'), { name: 'x/', type: '5' }]],
    ['a file that is a directory', [file('tasks')]],
    ['something inside a file', [file('x'), file('x/y')]],
    ['something before its directory', [file('later/x')]],
    ["meili-ha's own file", [file('meili-ha.json')]],
  ])('%s', async (_, more) => {
    expect(await verdict(tarball(more))).toBe('SNAPSHOT_UNSAFE')
  })

  test('the names tar -C data.ms . makes are fine', async () => {
    const entries = SMALLEST.map((entry) => ({
      ...entry,
      name: `./${entry.name.replace('./', '')}`,
    }))
    expect(await verdict(gzipSync(tar(entries)))).toBe('taken')
  })
})

/** A file with a name of GNU's long kind. */
function longNamed(name: string): FixtureEntry[] {
  return [
    { name: '././@LongLink', type: 'L', content: `${name}\0` },
    { name: name.replaceAll('\0', '').slice(0, 100), content: 'x' },
  ]
}

describe('what other tar writers do is read as they meant it', () => {
  test('long names', async () => {
    const name = `tasks/${'n'.repeat(200)}`
    expect((await contentOf(tarball(longNamed(name)))).get(name)).toBe('78')
  })

  test('the two parts of a POSIX name', async () => {
    const patch = (header: Buffer) => {
      header.write('ustar\x0000', 257, 'latin1')
      header.write('tasks', 345)
    }
    expect((await contentOf(tarball([{ name: 'x', content: 'x', patch }]))).get('tasks/x')).toBe(
      '78',
    )
  })

  test('sizes beyond octal', async () => {
    const patch = (header: Buffer) => header.write(`80${'00'.repeat(10)}01`, 124, 'hex')
    expect((await contentOf(tarball([{ name: 'x', content: 'x', patch }]))).get('x')).toBe('78')
  })

  test('files with many holes, as GNU tar stores them', async () => {
    const content = Buffer.alloc(200 * 8192)
    const extents = Array.from({ length: 60 }, (_, i) => ({ offset: i * 3 * 8192, length: 512 }))
    for (const { offset } of extents) content.fill('data', offset, offset + 512)
    const files = await contentOf(gzipSync(sparseTar(content, extents)))
    expect(files.get('holes') === content.toString('hex')).toBe(true)
  })

  test('a map of holes that contradicts itself is damage', async () => {
    const content = Buffer.alloc(8192, 'z')
    for (const extents of [
      [{ offset: 0, length: 8193 }],
      [
        { offset: 1024, length: 512 },
        { offset: 0, length: 512 },
      ],
      [
        { offset: 0, length: 100 },
        { offset: 4096, length: 512 },
      ],
    ]) {
      expect(await verdict(gzipSync(sparseTar(content, extents)))).toBe('SNAPSHOT_DAMAGED')
    }
  })

  test('any mutation of a tarball is refused, or read as tar-stream reads it', async () => {
    const original = tar([...SMALLEST, { name: 'x', content: Buffer.alloc(700, 'x') }])
    const mutation = fc.tuple(fc.nat(original.length - 1), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (mutations, repair) => {
          const mutated = Buffer.from(original)
          for (const [at, byte] of mutations) mutated[at] = byte
          // Half the time with headers that are right again, or nothing gets past the checksum.
          if (repair) repairChecksums(mutated)
          let ours: Map<string, string>
          try {
            ours = await contentOf(gzipSync(mutated, { level: 1 }))
          } catch (error) {
            if (!isError(error)) throw error
            return
          }
          const theirs = await contentByTarStream(mutated)
          const plain = [...theirs].map(([name, content]) => [name.replace(/^\.\//, ''), content])
          expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(plain))
        },
      ),
      { numRuns: 1500 },
    )
  })
})

function repairChecksums(bytes: Buffer): void {
  for (let i = 0; i + 512 <= bytes.length; i += 512) {
    const block = bytes.subarray(i, i + 512)
    if (block.toString('latin1', 257, 262) === 'ustar') withChecksum(block)
  }
}

/** The smallest snapshot and `holes`, in GNU's sparse format. */
function sparseTar(content: Buffer, extents: { offset: number; length: number }[]): Buffer {
  const stored = extents.reduce((sum, extent) => sum + extent.length, 0)
  const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`
  const write = (block: Buffer, start: number, some: typeof extents) => {
    for (const [i, { offset, length }] of some.entries()) {
      block.write(octal(offset) + octal(length), start + i * 24, 'latin1')
    }
  }
  const patch = (header: Buffer) => {
    write(header, 386, extents.slice(0, 4))
    header[482] = extents.length > 4 ? 1 : 0
    header.write(octal(content.length), 483, 'latin1')
  }
  const maps: Buffer[] = []
  for (let i = 4; i < extents.length; i += 21) {
    const block = Buffer.alloc(512)
    write(block, 0, extents.slice(i, i + 21))
    block[504] = i + 21 < extents.length ? 1 : 0
    maps.push(block)
  }
  return Buffer.concat([
    tar(SMALLEST, Buffer.alloc(0)),
    tarHeader({ name: 'holes', type: 'S', size: stored, patch }),
    ...maps,
    padded(Buffer.concat(extents.map((e) => content.subarray(e.offset, e.offset + e.length)))),
    END_OF_TAR,
  ])
}
