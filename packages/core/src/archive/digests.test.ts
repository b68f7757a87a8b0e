import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkDigests, combineDigests, computeDigests, PartDigests } from './digests.ts'
import { inPieces } from './tarball.fixture.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest()

function digestsOf(bytes: Buffer, partSize: number) {
  const digests = new PartDigests(partSize)
  digests.update(bytes)
  return digests.finish()
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of source) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const size = fc.integer({ min: 1, max: 100 })

describe('digests of parts', () => {
  test('are those of the slices, however the bytes were cut', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, size, size, async (whole, partSize, pieceSize) => {
        const digests = new PartDigests(partSize)
        expect(await collect(computeDigests(inPieces(whole, pieceSize), digests))).toEqual(whole)
        const slices = Array.from({ length: Math.ceil(whole.length / partSize) }, (_, i) =>
          sha256(whole.subarray(i * partSize, (i + 1) * partSize)),
        )
        expect(digests.finish()).toEqual({
          partSize,
          size: whole.length,
          parts: slices.map((digest) => digest.toString('hex')),
          sha256: sha256(Buffer.concat(slices)).toString('hex'),
        })
      }),
    )
  })

  test('let the right bytes through', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, size, size, async (whole, partSize, pieceSize) => {
        const checked = checkDigests(inPieces(whole, pieceSize), digestsOf(whole, partSize))
        expect(await collect(checked)).toEqual(whole)
      }),
    )
  })

  test('name the first part with a flipped bit, and never let that part end', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, size, size, fc.nat(), async (whole, partSize, pieceSize, where) => {
        fc.pre(whole.length > 0)
        const at = where % whole.length
        const flipped = Buffer.from(whole)
        flipped[at] = (flipped[at] as number) ^ 1
        let passed = 0
        const read = async () => {
          const checked = checkDigests(inPieces(flipped, pieceSize), digestsOf(whole, partSize))
          for await (const piece of checked) passed += piece.length
        }
        await expect(read()).rejects.toMatchObject({
          code: 'MEILI_HA_SNAPSHOT_DAMAGED',
          message: `part ${Math.floor(at / partSize)} is not what was published`,
        })
        const end = Math.min(whole.length, (Math.floor(at / partSize) + 1) * partSize)
        expect(passed).toBeLessThan(end)
      }),
    )
  })

  test('refuse bytes that are missing, too many, or not what the manifest adds up to', async () => {
    const whole = Buffer.from('0123456789')
    const expected = digestsOf(whole, 4)
    const damaged = { code: 'MEILI_HA_SNAPSHOT_DAMAGED' }
    const read = (what: Buffer, digests = expected) =>
      collect(checkDigests(inPieces(what, 4), digests))
    await expect(read(whole.subarray(0, 8))).rejects.toMatchObject(damaged)
    await expect(read(Buffer.concat([whole, whole]))).rejects.toMatchObject(damaged)
    await expect(read(whole, { ...expected, sha256: combineDigests([]) })).rejects.toMatchObject(
      damaged,
    )
  })
})
