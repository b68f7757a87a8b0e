import { expect, test, vi } from 'vitest'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { whenReachable } from './when-reachable.ts'

const away = () => new MeiliHaError('STORE_UNREACHABLE', 'no answer')
const never = new AbortController().signal

const untold = () => {}

test('a store that is away is asked again until it answers, and each time it is told why', async () => {
  const open = vi.fn<() => Promise<string>>()
  open.mockRejectedValueOnce(away()).mockRejectedValueOnce(away()).mockResolvedValueOnce('lease')
  const told: (string | undefined)[] = []
  expect(await whenReachable(open, (why) => told.push(why?.message), never, 1)).toBe('lease')
  expect(told).toEqual(['no answer', 'no answer', undefined])
})

test.each(['STORE_NO_BUCKET', 'STORE_DENIED', 'LEASE_UNUSABLE'] as const)(
  '%s is for a person, and thrown at once',
  async (code) => {
    const open = vi.fn<() => Promise<never>>(() => Promise.reject(new MeiliHaError(code, 'no')))
    await expect(whenReachable(open, untold, never, 1)).rejects.toThrow('no')
    expect(open).toHaveBeenCalledTimes(1)
  },
)

test('whoever is told to stop meanwhile stops', async () => {
  const told = new AbortController()
  const open = vi.fn<() => Promise<never>>(() => {
    told.abort()
    return Promise.reject(away())
  })
  expect(await whenReachable(open, untold, told.signal)).toBeUndefined()
})

test('also while a store neither answers nor refuses', async () => {
  const told = new AbortController()
  const tell = vi.fn<() => void>()
  const waits = whenReachable(() => new Promise<never>(() => {}), tell, told.signal)
  told.abort()
  expect(await waits).toBeUndefined()
  expect(tell).not.toHaveBeenCalled()
})
