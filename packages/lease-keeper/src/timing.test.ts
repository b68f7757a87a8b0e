import { expect, test } from 'vitest'
import { checkTiming, timingFor } from './timing.ts'

test('at 15 s: renew every 2 s, term at 9, kill at 12, takeover at 15', () => {
  expect(timingFor(15_000)).toEqual({
    takeover: 1500,
    renewEvery: 200,
    requestTimeout: 200,
    termAt: 900,
    killAt: 1200,
    beatLimit: 150,
  })
})

test('every duration from 5 s to 5 min keeps the relations', () => {
  for (let ms = 5_000; ms <= 300_000; ms += 137) expect(() => timingFor(ms)).not.toThrow()
})

test.each([4_999, 300_001, Number.NaN, 0])('refuses %s ms', (ms) => {
  expect(() => timingFor(ms)).toThrow(expect.objectContaining({ code: 'MEILI_HA_USAGE' }) as Error)
})

test.each([
  ['killed later than a faster clock takes over', { killAt: 1201 }],
  ['no time between term and kill', { termAt: 1160 }],
  ['no second chance to renew', { renewEvery: 600 }],
  ['a beat limit below the guard’s own pace', { beatLimit: 49 }],
  ['a beat limit that eats the permit', { beatLimit: 500 }],
])('refuses %s', (_what, change) => {
  expect(() => checkTiming({ ...timingFor(15_000), ...change })).toThrow("don't fit together")
})
