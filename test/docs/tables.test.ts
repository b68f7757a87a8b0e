import { expect, test } from 'vitest'
import { ERRORS } from '@meili-ha/core/errors.ts'
import { followMetrics, type FollowMetrics } from '@meili-ha/fetcher/follow/follow-metrics.ts'
import { keeperMetrics } from '@meili-ha/lease-keeper/runtime/keeper-metrics.ts'
import { uploaderMetrics } from '@meili-ha/uploader/uploader-metrics.ts'
import { bare, readme, reference, tableAfter } from './markdown.ts'

interface Metric {
  name: string
  values: { labels: Record<string, string> }[]
}

async function metricsOf({ registry }: Pick<FollowMetrics, 'registry'>): Promise<Metric[]> {
  return (await registry.getMetricsAsJSON()) as Metric[]
}

const all = async () => [
  ...(await metricsOf(uploaderMetrics())),
  ...(await metricsOf(followMetrics())),
  ...(await metricsOf(keeperMetrics())),
]

test('the reference tells every metric by its exact name, and no other', async () => {
  const told = tableAfter(reference(), 'metrics').map(([name = '']) => bare(name))
  expect(told.sort()).toEqual((await all()).map(({ name }) => name).sort())
})

test('the reference tells the label of a metric and all of its values', async () => {
  const rows = new Map(
    tableAfter(reference(), 'metrics').map(([name = '', says = '']) => [bare(name), says]),
  )
  for (const { name, values } of await all()) {
    for (const { labels } of values) {
      for (const word of Object.entries(labels).flat())
        expect(rows.get(name)).toContain(`\`${word}\``)
    }
  }
})

test('no metric is named elsewhere that does not exist', async () => {
  const real = (await all()).map(({ name }) => name)
  const named = `${readme()}${reference()}`.match(/meili_ha_[a-z_]+/g) ?? []
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
