import { assert, integer, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_PARTS, partSizeFor } from './part-size.ts'

const MIB = 1024 * 1024

describe('partSizeFor', () => {
  it('is 8 MiB as long as that is enough', () => {
    expect(partSizeFor(1)).toBe(8 * MIB)
    expect(partSizeFor(8 * MIB * MAX_PARTS)).toBe(8 * MIB)
    expect(partSizeFor(8 * MIB * MAX_PARTS + 1)).toBe(16 * MIB)
  })

  it('never needs more parts than S3 takes, nor larger ones than 5 GiB', () => {
    assert(
      property(integer({ min: 1, max: 5 * 1024 ** 4 }), (size) => {
        const partSize = partSizeFor(size)
        expect(Math.ceil(size / partSize)).toBeLessThanOrEqual(MAX_PARTS)
        expect(partSize).toBeLessThanOrEqual(5 * 1024 ** 3)
      }),
    )
  })
})
