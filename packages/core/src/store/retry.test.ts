import { assert, double, integer, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeiliHaError } from '../errors.ts'
import type { StoreClock } from './deadline.ts'
import { RETRY, retry, type Verdict, waitBefore } from './retry.ts'

const unreachable = new MeiliHaError('STORE_UNREACHABLE', 'no luck')
const denied = new MeiliHaError('STORE_DENIED', 'no')
const again = (retryAfterMs?: number): Verdict => ({
  error: unreachable,
  retry: true,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
})

/** A clock that waits for nothing but deadlines, which never pass, and notes what was waited. */
function patientClock() {
  const waits: number[] = []
  const clock: StoreClock = {
    random: () => 0.5,
    sleep: (ms, signal) => {
      if (ms === DEADLINE) return untilAborted(signal)
      waits.push(ms)
      return Promise.resolve()
    },
  }
  return { clock, waits }
}

const DEADLINE = 1234

function untilAborted(signal?: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('aborted')))
  })
}

function failing(times: number) {
  let calls = 0
  return {
    attempt: () => (calls++ < times ? Promise.reject(new Error('x')) : Promise.resolve('done')),
    calls: () => calls,
  }
}

describe('retry', () => {
  it('tries bad luck again until it works, waiting longer each time', async () => {
    const { clock, waits } = patientClock()
    const { attempt } = failing(4)
    const options = { judge: () => again(), timeoutMs: DEADLINE }
    expect(await retry(attempt, options, clock)).toBe('done')
    expect(waits).toEqual([100, 200, 400, 800])
  })

  it('gives up after the last retry, with what the attempt said', async () => {
    const { clock } = patientClock()
    const { attempt, calls } = failing(99)
    const options = { judge: () => again(), timeoutMs: DEADLINE }
    await expect(retry(attempt, options, clock)).rejects.toBe(unreachable)
    expect(calls()).toBe(RETRY.retries + 1)
  })

  it('does not ask twice after a definite no', async () => {
    const { clock } = patientClock()
    const { attempt, calls } = failing(99)
    const judge = () => ({ error: denied, retry: false })
    await expect(retry(attempt, { judge, timeoutMs: DEADLINE }, clock)).rejects.toBe(denied)
    expect(calls()).toBe(1)
  })

  it('sends once where retries are off', async () => {
    const { clock } = patientClock()
    const { attempt, calls } = failing(99)
    const options = { judge: () => again(), timeoutMs: DEADLINE, retries: 0 }
    await expect(retry(attempt, options, clock)).rejects.toBe(unreachable)
    expect(calls()).toBe(1)
  })

  it('reports a store that asks for more patience than there is', async () => {
    const { clock, waits } = patientClock()
    const { attempt } = failing(99)
    const options = { judge: () => again(RETRY.longestWaitMs + 1), timeoutMs: DEADLINE }
    await expect(retry(attempt, options, clock)).rejects.toBe(unreachable)
    expect(waits).toEqual([])
  })

  it('ends an attempt at its deadline, even one that ignores its signal', async () => {
    const clock: StoreClock = { random: () => 0, sleep: () => Promise.resolve() }
    const signals: AbortSignal[] = []
    const attempt = (signal: AbortSignal) => {
      signals.push(signal)
      return new Promise(() => {})
    }
    const judge = (error: unknown) => ({
      error: new MeiliHaError('STORE_UNREACHABLE', String(error)),
      retry: true,
    })
    const late = retry(attempt, { judge, timeoutMs: DEADLINE, retries: 2 }, clock)
    await expect(late).rejects.toThrow(`no answer within ${DEADLINE} ms`)
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true, true])
  })

  it('judges what is thrown before there is a promise', async () => {
    const { clock } = patientClock()
    const attempt = () => {
      throw new Error('x')
    }
    const options = { judge: () => ({ error: denied, retry: false }), timeoutMs: DEADLINE }
    await expect(retry(attempt, options, clock)).rejects.toBe(denied)
  })

  it('stops at once when told to, in an attempt or between two', async () => {
    const cancel = new AbortController()
    const { clock } = patientClock()
    const judge = () => again()
    const options = { judge, timeoutMs: DEADLINE, signal: cancel.signal }
    const stopped = retry(() => new Promise(() => {}), options, clock)
    cancel.abort()
    await expect(stopped).rejects.toMatchObject({ code: 'MEILI_HA_CANCELLED' })
    await expect(retry(() => Promise.resolve(1), options, clock)).rejects.toMatchObject({
      code: 'MEILI_HA_CANCELLED',
    })
  })
})

describe('waitBefore', () => {
  it('is between zero and the cap, and never below Retry-After', () => {
    const n = integer({ min: 1, max: 40 })
    const random = double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const retryAfterMs = integer({ min: 0, max: 60_000 })
    assert(
      property(n, random, retryAfterMs, (attempt, luck, floor) => {
        const wait = waitBefore(attempt, { retryAfterMs: floor }, luck)
        expect(wait).toBeGreaterThanOrEqual(floor)
        expect(wait).toBeLessThanOrEqual(Math.max(floor, RETRY.capMs))
      }),
    )
  })
})
