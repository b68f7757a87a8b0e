import { PassThrough, Readable } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { messageOf } from '../errors.ts'
import { expectedLength, readBody } from './s3-body.ts'

const never = new AbortController().signal

describe('readBody', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('reads what it was promised', async () => {
    const body = await readBody(
      Readable.from([Buffer.from('ab'), Buffer.from('c')]),
      3,
      undefined,
      never,
    )
    expect(body.toString()).toBe('abc')
  })

  it.each([2, 4])('takes 3 bytes for a drop where %i were promised', async (expected) => {
    const body = readBody(Readable.from([Buffer.from('abc')]), expected, undefined, never)
    await expect(body).rejects.toMatchObject({ code: 'MEILI_HA_STORE_UNREACHABLE' })
  })

  it('gives up on a body that falls silent, and closes the connection', async () => {
    vi.useFakeTimers()
    const stream = new PassThrough()
    const outcome = readBody(stream, 100, undefined, never).catch(messageOf)
    stream.write('abc')
    await vi.advanceTimersByTimeAsync(9_000)
    stream.write('abc')
    await vi.advanceTimersByTimeAsync(9_000)
    expect(stream.destroyed).toBe(false)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await outcome).toContain('silent for 10000 ms')
    expect(stream.destroyed).toBe(true)
  })

  it('closes the connection when the request is given up', async () => {
    const cancel = new AbortController()
    const stream = new PassThrough()
    const body = readBody(stream, 100, undefined, cancel.signal)
    cancel.abort()
    await expect(body).rejects.toThrow('cancelled')
    expect(stream.destroyed).toBe(true)
  })
})

describe('expectedLength', () => {
  const range = { start: 10, end: 19 }

  it('comes from the size of the object, whatever Content-Length says', () => {
    expect(expectedLength(range, 'bytes 10-19/100', 4)).toEqual({ length: 10, size: 100 })
    expect(expectedLength(range, 'bytes 10-14/15', 5)).toEqual({ length: 5, size: 15 })
    expect(expectedLength(undefined, undefined, 15)).toEqual({ length: 15, size: 15 })
  })

  it('refuses a store that answers another range than was asked for', () => {
    expect(() => expectedLength(range, undefined, 100)).toThrow('range')
    expect(() => expectedLength(range, 'bytes 0-9/100', 10)).toThrow('range')
  })
})
