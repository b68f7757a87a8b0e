import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { bare, REPO, tableAfter } from '../docs/markdown.ts'
import { CHART, helm, render, runTool } from './helm.ts'
import { valueRows } from './values-rows.ts'

interface Schema {
  properties?: Record<string, Schema>
  additionalProperties?: unknown
}

const read = (file: string) => readFileSync(join(CHART, file), 'utf8')

/** `a.b` of each value that a mapping of known names leads to. */
function namesIn(value: unknown, schema: Schema, prefix = ''): string[] {
  if (!schema.properties) return [prefix]
  return Object.entries(value as Record<string, unknown>).flatMap(([name, below]) => {
    const found = schema.properties?.[name]
    return found
      ? namesIn(below, found, prefix ? `${prefix}.${name}` : name)
      : [`no schema: ${name}`]
  })
}

function namesOf(schema: Schema, prefix = ''): string[] {
  if (!schema.properties) return [prefix]
  expect(schema.additionalProperties, prefix).toBe(false)
  return Object.entries(schema.properties)
    .filter(([name]) => name !== 'global')
    .flatMap(([name, below]) => namesOf(below, prefix ? `${prefix}.${name}` : name))
}

test('the README has every value, with its default and what values.yaml says of it', () => {
  const documented = tableAfter(read('README.md'), 'values').map(
    ([name = '', value = '', says]) => ({
      name: bare(name),
      default: value.slice(1, -1),
      says,
    }),
  )
  expect(documented).toEqual(valueRows())
})

test('the schema knows every value, and no other', () => {
  const schema = JSON.parse(read('values.schema.json')) as Schema
  const names = namesIn(parse(read('values.yaml')), schema)
  expect(namesOf(schema).toSorted()).toEqual(names.toSorted())
})

const REFUSED: [string[], RegExp][] = [
  [['auth.existingSecret='], /auth\.existingSecret is required/],
  [['store.url='], /store\.url is required/],
  [['store.url=file:///backups'], /store/],
  [['steps=uploader'], /set replicas: 1/],
  [['steps=backups'], /steps/],
  [['uploader.evry=5m'], /evry/],
  [['leaseKeeper.leaseDuration=15 seconds'], /leaseDuration/],
  [['leaseKeeper.leaseDuration=4s'], /leaseDuration/],
  [['leaseKeeper.leaseDuration=301s'], /leaseDuration/],
  [['leaseKeeper.leaseDuration=5m1s'], /leaseDuration/],
  [['persistence.size=30G'], /size/],
  [['httpRoute.enabled=true'], /parentRefs is required/],
  [['ingressRoute.enabled=true'], /ingressRoute\.host is required/],
  [['ingressRoute.enabled=true', 'leaseKeeper.lease=store'], /split reads from writes/],
]

test.skipIf(!helm).each(REFUSED)('refused, with what helps: %j', (settings, why) => {
  const args = settings.flatMap((setting) => ['--set', setting])
  expect(() => render(['-f', join(CHART, 'ci/minimal.yaml'), ...args])).toThrow(why)
})

test.skipIf(!helm)('the images are of the version of the packages', () => {
  const { version } = JSON.parse(readFileSync(join(REPO, 'package.json'), 'utf8')) as Schema & {
    version: string
  }
  expect(parse(runTool(helm, ['show', 'chart', CHART]))).toMatchObject({ appVersion: version })
})
