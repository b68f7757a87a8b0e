import { describe, expect, it } from 'vitest'
import { PartBuffers } from './part-buffers.ts'

describe('PartBuffers', () => {
  it('gives the buffers of the last upload to the next', () => {
    const buffers = new PartBuffers()
    const first = buffers.take(3, 10)
    buffers.keep(first)
    expect(buffers.take(3, 10).map((buffer, i) => buffer === first[i])).toEqual([true, true, true])
  })

  it('never gives one buffer to two uploads, nor one of another size', () => {
    const buffers = new PartBuffers()
    const kept = buffers.take(2, 10)
    buffers.keep(kept)
    const first = buffers.take(2, 10)
    const second = buffers.take(2, 10)
    expect(new Set([...first, ...second]).size).toBe(4)
    buffers.keep(first)
    expect(buffers.take(2, 20).map(({ length }) => length)).toEqual([20, 20])
  })
})
