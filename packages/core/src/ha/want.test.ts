import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatWant, parseWant, type Want } from './want.ts'

const epoch = fc.integer({ min: 0, max: 9_999_999_999 })
const verb = fc.constantFrom<Exclude<Want['verb'], 'swap'>>('follow', 'promote', 'lead', 'final')
const digits = epoch.map((n) => String(n).padStart(10, '0'))
const want: fc.Arbitrary<Want> = fc.oneof(
  fc.record({ verb, epoch }),
  fc.record({
    verb: fc.constant('swap' as const),
    id: fc.tuple(digits, digits).map(([left, right]) => `${left}-${right}`),
  }),
)

it('reads what it writes', () => {
  fc.assert(
    fc.property(want, (each) => {
      expect(parseWant(formatWant(each))).toEqual(each)
    }),
  )
})

it('takes nothing for a want that it would not have written itself', () => {
  const almost = fc.tuple(want, fc.nat(12), fc.string({ maxLength: 2 })).map(([each, at, text]) => {
    const line = formatWant(each)
    return line.slice(0, at) + text + line.slice(at)
  })
  fc.assert(
    fc.property(fc.oneof(fc.string(), almost), (line) => {
      const read = parseWant(line)
      return read === undefined || formatWant(read) === line
    }),
    { numRuns: 2_000 },
  )
})

it.each(['', 'lead', 'lead x', 'lead 01', 'lead 1 ', 'swap 1', 'swap -', 'demote 1', 'follow -1'])(
  'refuses %j',
  (line) => expect(parseWant(line)).toBeUndefined(),
)
