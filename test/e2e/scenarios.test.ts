import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { tableAfter } from '../docs/markdown.ts'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const rows = tableAfter(readFileSync(at('test/e2e/README.md'), 'utf8'), 'scenarios').filter(
  (cells) => cells.length > 0,
)

test('each scenario of the page is kept by a test of that name in a file that is there', () => {
  expect(rows.length).toBeGreaterThanOrEqual(19)
  for (const [scenario = '', name = '', file = ''] of rows) {
    expect(existsSync(at(file)), `${file} of ${scenario}`).toBe(true)
    expect(readFileSync(at(file), 'utf8'), `${scenario} in ${file}`).toContain(`'${name}'`)
  }
})

test('each file of end-to-end tests stands on the page', () => {
  const files = readdirSync(at('test/e2e')).filter((name) => name.endsWith('.test.ts'))
  const named = new Set(rows.map(([, , file = '']) => file.replace('test/e2e/', '')))
  const own = fileURLToPath(import.meta.url)
    .split('/')
    .at(-1)
  expect(files.filter((name) => name !== own && !named.has(name))).toEqual([])
})
