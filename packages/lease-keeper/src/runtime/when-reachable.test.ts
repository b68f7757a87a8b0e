import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { whenReachable } from './when-reachable.ts'

const away = () => new MeiliHaError('STORE_UNREACHABLE', 'no answer')
const never = new AbortController().signal

const untold = () => {}

function logged() {
  const lines: string[] = []
  return { lines, log: pino({ base: null }, { write: (line) => void lines.push(line) }) }
}

test('a store that is away is asked again until it answers, told each time and said once', async () => {
  const open = vi.fn<() => Promise<string>>()
  open.mockRejectedValueOnce(away()).mockRejectedValueOnce(away()).mockResolvedValueOnce('lease')
  const { lines, log } = logged()
  const told: (string | undefined)[] = []
  expect(await whenReachable(open, log, (why) => told.push(why?.message), never, 1)).toBe('lease')
  expect(told).toEqual(['no answer', 'no answer', undefined])
  expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
    'lease.unreachable',
    'lease.reached',
  ])
})

test.each(['STORE_NO_BUCKET', 'STORE_DENIED', 'LEASE_UNUSABLE'] as const)(
  '%s is for a person, and thrown at once',
  async (code) => {
    const open = vi.fn<() => Promise<never>>(() => Promise.reject(new MeiliHaError(code, 'no')))
    await expect(whenReachable(open, logged().log, untold, never, 1)).rejects.toThrow('no')
    expect(open).toHaveBeenCalledTimes(1)
  },
)

test('whoever is told to stop meanwhile stops', async () => {
  const told = new AbortController()
  const open = vi.fn<() => Promise<never>>(() => {
    told.abort()
    return Promise.reject(away())
  })
  expect(await whenReachable(open, logged().log, untold, told.signal)).toBeUndefined()
})

test('also while a store neither answers nor refuses', async () => {
  const told = new AbortController()
  const tell = vi.fn<() => void>()
  const { lines, log } = logged()
  const waits = whenReachable(() => new Promise<never>(() => {}), log, tell, told.signal)
  told.abort()
  expect(await waits).toBeUndefined()
  expect(tell).not.toHaveBeenCalled()
  expect(lines).toEqual([])
})
