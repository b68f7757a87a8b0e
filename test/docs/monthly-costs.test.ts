import { expect, test } from 'vitest'
import { STATED_EVERY } from '@meili-ha/lease-keeper/members/statement.ts'
import { timingFor } from '@meili-ha/lease-keeper/timing.ts'
import { readme, reference, tableAfter } from './markdown.ts'

const MONTH_SECONDS = 30 * 24 * 3600
/** Of S3 Standard, for one request. */
const WRITE = 0.005 / 1000
const READ = 0.0004 / 1000

const dollars = (everySeconds: number, requests: number, price: number) =>
  ((MONTH_SECONDS / everySeconds) * requests * price).toFixed(2)

/** The amounts in the last column of a row. */
const told = (step: RegExp) =>
  (tableAfter(readme(), 'steps cost').find(([name = '']) => step.test(name)) ?? [])
    .at(-1)
    ?.match(/\d+\.\d\d/g)

const counted = (what: RegExp) =>
  Number(tableAfter(reference(), 'costs').find(([name = '']) => what.test(name))?.[1])

test('the monthly price of each step is what its counted requests make', () => {
  // `uploader run` looks after the store with four LISTs every ten minutes (costs.test.ts).
  const publish = dollars(300, counted(/^publish 100 MB/), WRITE)
  expect(told(/^1 /)).toEqual([dollars(600, 4, WRITE), publish])
  expect(told(/^3 /)).toEqual([dollars(30, counted(/^follow/), WRITE)])
})

test('a lease in the store is written by the primary and read by each standby, once per renewal', () => {
  const every = timingFor(15_000).renewEvery / 100
  const lease = [dollars(every, 1, WRITE), dollars(every, 1, READ)]
  expect(told(/^4 .*store/)).toEqual([...lease, dollars(STATED_EVERY / 100, 1, WRITE)])
})
