import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isError } from '../errors.ts'
import { compareVersions, isVersion, versionGate } from './version.ts'

describe('a version', () => {
  test.each(['1.50.0', '1.13.12', '0.0.0', '10.20.30'])('%s is one', (text) => {
    expect(isVersion(text)).toBe(true)
  })

  test.each(['', '1.50', '1.50.0\n', 'v1.50.0', '1.50.0-rc.1', '01.2.3', '1.2.3.4', ' 1.2.3'])(
    '%j is none',
    (text) => {
      expect(isVersion(text)).toBe(false)
    },
  )

  test('orders by numbers, not by letters', () => {
    const part = fc.nat(300)
    const triple = fc.tuple(part, part, part)
    fc.assert(
      fc.property(triple, triple, (a, b) => {
        const weight = ([x, y, z]: [number, number, number]) => x * 1e6 + y * 1e3 + z
        expect(Math.sign(compareVersions(a.join('.'), b.join('.')))).toBe(
          Math.sign(weight(a) - weight(b)),
        )
      }),
    )
  })
})

describe('the version gate', () => {
  test.each([
    ['1.50.0', '1.50.0', 'same'],
    ['1.49.9', '1.50.0', 'upgrade'],
    ['1.13.0', '1.50.0', 'upgrade'],
    ['1.50.0', undefined, 'unknown-engine'],
    ['1.12.0', '1.12.0', 'same'],
  ])('a snapshot of %s under %s: %s', (snapshot, engine, verdict) => {
    expect(versionGate(snapshot, engine)).toBe(verdict)
  })

  test.each([
    ['1.50.1', '1.50.0', 'VERSION_TOO_NEW'],
    ['1.9.0', '1.8.9', 'VERSION_TOO_NEW'],
    ['2.0.0', '1.99.0', 'VERSION_TOO_NEW'],
    ['1.12.9', '1.50.0', 'VERSION_TOO_OLD'],
    ['0.30.0', '1.50.0', 'VERSION_TOO_OLD'],
  ] as const)('a snapshot of %s under %s is refused, both named', (snapshot, engine, code) => {
    let error: unknown
    try {
      versionGate(snapshot, engine)
    } catch (thrown) {
      error = thrown
    }
    expect(isError(error, code)).toBe(true)
    expect(String(error)).toContain(snapshot)
    expect(String(error)).toContain(engine)
  })
})
