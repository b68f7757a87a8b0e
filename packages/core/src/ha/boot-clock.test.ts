import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseUptime, systemBootClock } from './boot-clock.ts'

it('reads every uptime the kernel writes, to the centisecond', () => {
  fc.assert(
    fc.property(fc.nat(10 ** 9), fc.nat(99), (seconds, cents) => {
      const text = `${seconds}.${String(cents).padStart(2, '0')} 17.00\n`
      expect(parseUptime(text)).toBe(seconds * 100 + cents)
    }),
  )
})

it.each(['', '12', '12.3 1.00', '12.345 1.00', '-1.00 1.00', ' 1.00 1.00', 'x.yy 1.00'])(
  'refuses %j',
  (text) => expect(() => parseUptime(text)).toThrow('uptime'),
)

it('never goes back, and stays on its boot', () => {
  const before = systemBootClock.now()
  expect(systemBootClock.now()).toBeGreaterThanOrEqual(before)
  expect(systemBootClock.bootId()).toMatch(/^[0-9a-f-]{36}$/)
  expect(systemBootClock.bootId()).toBe(systemBootClock.bootId())
})
