import { expect, test } from 'vitest'
import { ERRORS } from '@meili-ha/core/errors.ts'
import { bare, readme, reference, tableAfter } from './markdown.ts'
import { metricsIn, realMetrics } from './metrics.ts'

test('the reference tells every metric by its exact name, and no other', async () => {
  const told = tableAfter(reference(), 'metrics').map(([name = '']) => bare(name))
  expect(told.sort()).toEqual((await realMetrics()).map(({ name }) => name).sort())
})

test('the reference tells the label of a metric and all of its values', async () => {
  const rows = new Map(
    tableAfter(reference(), 'metrics').map(([name = '', says = '']) => [bare(name), says]),
  )
  for (const { name, values } of await realMetrics()) {
    for (const { labels } of values) {
      for (const word of Object.entries(labels).flat())
        expect(rows.get(name)).toContain(`\`${word}\``)
    }
  }
})

test('no metric is named elsewhere that does not exist', async () => {
  const real = (await realMetrics()).map(({ name }) => name)
  const named = metricsIn(`${readme()}${reference()}`)
  expect(named.filter((name) => !real.includes(name))).toEqual([])
})

test('the reference tells every error code, its exit code and its hint', () => {
  const told = tableAfter(reference(), 'errors').map(([code = '', exit, hint]) => [
    bare(code),
    Number(exit),
    hint,
  ])
  const real = Object.entries(ERRORS).map(([code, { exit, hint }]) => [
    `MEILI_HA_${code}`,
    exit,
    hint,
  ])
  expect(told).toEqual(real)
})
