import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type DataGate, formatData, parseData } from './data.ts'

const digits = fc.integer({ min: 0, max: 9_999_999_999 }).map((n) => String(n).padStart(10, '0'))
const id = fc.tuple(digits, digits).map(([epoch, seq]) => `${epoch}-${seq}`)
const data: fc.Arbitrary<DataGate> = fc.oneof(
  fc.record({ state: fc.constant('ready' as const), snapshotId: fc.option(id) }),
  fc.record({ state: fc.constant('closed' as const), nonce: fc.uuid() }),
)

it('reads what it writes', () => {
  fc.assert(
    fc.property(data, (each) => {
      expect(parseData(formatData(each))).toEqual(each)
    }),
  )
})

it('takes nothing for an open directory that it would not have written itself', () => {
  const almost = fc.tuple(data, fc.nat(30), fc.string({ maxLength: 2 })).map(([each, at, text]) => {
    const line = formatData(each)
    return line.slice(0, at) + text + line.slice(at)
  })
  fc.assert(
    fc.property(fc.oneof(fc.string(), almost), (line) => {
      const read = parseData(line)
      return read === undefined || formatData(read) === line
    }),
    { numRuns: 2_000 },
  )
})

it.each([
  '',
  'ready',
  'ready ',
  'ready x',
  'ready 1-2',
  'ready - ',
  'closed',
  'closed A',
  'open -',
])('refuses %j', (line) => expect(parseData(line)).toBeUndefined())
