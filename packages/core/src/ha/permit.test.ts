import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatPermit, parsePermit, type Permit, permitsPrimary } from './permit.ts'

const epoch = fc.integer({ min: 0, max: 9_999_999_999 })
const bootId = fc.uuid()
const time = fc.integer({ min: 0, max: 10 ** 12 })
const primary = fc
  .record({ epoch, termAt: time, grace: fc.integer({ min: 0, max: 30_000 }), bootId })
  .map(({ grace, ...rest }) => ({
    ...rest,
    role: 'primary' as const,
    killAt: rest.termAt + grace,
  }))
const permit: fc.Arbitrary<Permit> = fc.oneof(
  primary,
  fc.record({ role: fc.constantFrom('standby' as const, 'stop' as const), epoch, bootId }),
)

it('reads what it writes', () => {
  fc.assert(
    fc.property(permit, (each) => {
      expect(parsePermit(formatPermit(each))).toEqual(each)
    }),
  )
})

it('takes nothing for a permit that it would not have written itself', () => {
  const almost = permit.chain((each) => {
    const line = formatPermit(each)
    const at = fc.integer({ min: 0, max: line.length })
    return fc
      .tuple(at, at, fc.string({ unit: 'grapheme', maxLength: 3 }))
      .map(([from, to, text]) => line.slice(0, from) + text + line.slice(to))
  })
  fc.assert(
    fc.property(fc.oneof(fc.string(), almost), (line) => {
      const read = parsePermit(line)
      return read === undefined || formatPermit(read) === line
    }),
    { numRuns: 2_000 },
  )
})

it.each([
  '',
  'primary',
  'primary 1 2 3',
  'primary 1 3 2 abc',
  'primary 01 2 3 abc',
  'primary 1 02 3 abc',
  'primary 1 2 3 ABC',
  'primary 1 2 3 abc ',
  'primary 1 2 3 abc\n',
  'primary 1 - - abc',
  'standby 1 2 3 abc',
  'stop  1 - - abc',
  'primary 1 9999999999999999 9999999999999999 abc',
])('refuses %j', (line) => expect(parsePermit(line)).toBeUndefined())

it('permits a primary from any moment before term-at that is near enough to kill-at, on its boot', () => {
  fc.assert(
    fc.property(primary, time, bootId, (each, now, boot) => {
      const may = now < each.termAt && each.killAt - now <= 30_000
      expect(permitsPrimary(each, now, each.bootId)).toBe(may)
      expect(permitsPrimary(each, now, boot)).toBe(may && boot === each.bootId)
    }),
  )
  expect(permitsPrimary(undefined, 0, 'abc')).toBe(false)
  expect(permitsPrimary({ role: 'standby', epoch: 1, bootId: 'abc' }, 0, 'abc')).toBe(false)
})
