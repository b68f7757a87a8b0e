import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readAlong } from './read-along.ts'

const BYTES = Buffer.from(Array.from({ length: 100 }, (_, i) => i))

/** A file that gives at most `most` bytes at a time, as a file system may. */
function fileOf(bytes: Buffer, most = Infinity) {
  const read = async (buffer: Buffer, offset: number, length: number, position: number) => {
    const bytesRead = bytes.copy(buffer, offset, position, position + Math.min(length, most))
    return { bytesRead, buffer }
  }
  return { handle: { read } as never, size: bytes.length }
}

async function readAll(read: ReturnType<typeof readAlong>, piece: number, from = 0, to = 100) {
  const buffer = Buffer.alloc(piece)
  const all: Buffer[] = []
  for (let at = from; at < to;) {
    const { bytesRead } = await read.file.handle.read(buffer, 0, Math.min(piece, to - at), at)
    all.push(Buffer.from(buffer.subarray(0, bytesRead)))
    // Whoever looks must be done with it by now.
    buffer.fill(255)
    at += bytesRead
  }
  return Buffer.concat(all)
}

async function lookAll(read: ReturnType<typeof readAlong>) {
  const all: Buffer[] = []
  for await (const bytes of read.seen) {
    await new Promise(setImmediate)
    all.push(Buffer.from(bytes))
  }
  return Buffer.concat(all)
}

test('each byte is seen once and in order, whatever the reader asks for and however often', async () => {
  const pieces = fc.integer({ min: 1, max: 120 })
  await fc.assert(
    fc.asyncProperty(pieces, pieces, fc.nat(100), async (piece, most, again) => {
      const read = readAlong(fileOf(BYTES, most))
      const reading = readAll(read, piece, 0, again).then(() => readAll(read, piece))
      const [was, seen] = await Promise.all([reading, lookAll(read)])
      expect(was).toEqual(BYTES)
      expect(seen).toEqual(BYTES)
    }),
  )
})

test('whoever stops looking lets the reader go on', async () => {
  const read = readAlong(fileOf(BYTES))
  const look = async () => {
    for await (const bytes of read.seen) return bytes[0]
    return undefined
  }
  const [was, first] = await Promise.all([readAll(read, 10), look()])
  expect([was, first]).toEqual([BYTES, 0])
})

test('a reader that gives up ends what is seen, at any moment', async () => {
  for (const asked of [0, 10]) {
    const read = readAlong(fileOf(BYTES))
    const seen = lookAll(read)
    await readAll(read, 10, 0, asked)
    read.stop()
    expect(await seen).toEqual(BYTES.subarray(0, asked))
  }
})

test('a file that nobody looks at any more is read all the same', async () => {
  const read = readAlong(fileOf(BYTES))
  read.stop()
  expect(await readAll(read, 30)).toEqual(BYTES)
})

test('an empty file has nothing to see', async () => {
  expect(await lookAll(readAlong(fileOf(Buffer.alloc(0))))).toEqual(Buffer.alloc(0))
})
