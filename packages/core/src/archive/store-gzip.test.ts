import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { storeGzip } from './store-gzip.ts'

async function* chunksOf(content: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}

function gzipped(content: Buffer, size: number): Promise<Buffer> {
  return buffer(storeGzip(chunksOf(content, size)))
}

test('gunzip, which checks sum and size, gives back what went in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      fc.integer({ min: 1, max: 700 }),
      fc.integer({ min: 1, max: 200_000 }),
      async (seed, times, size) => {
        const content = Buffer.concat(Array.from({ length: times }, () => seed))
        expect(gunzipSync(await gzipped(content, size)).equals(content)).toBe(true)
      },
    ),
    { numRuns: 50 },
  )
})

test.each([65_535, 65_536, 131_070])('%i bytes at once', async (size) => {
  const content = Buffer.alloc(size, 'x')
  expect(gunzipSync(await gzipped(content, size)).equals(content)).toBe(true)
})

test('what was yielded stays as it is when the source uses its buffer again', async () => {
  const reused = Buffer.alloc(1000)
  async function* source() {
    for (const letter of 'abc') yield reused.fill(letter)
  }
  const all = await buffer(storeGzip(source()))
  expect(gunzipSync(all).toString()).toBe('abc'.replaceAll(/./g, (one) => one.repeat(1000)))
})
