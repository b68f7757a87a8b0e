import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { newUser } from './new-user.ts'

/**
 * What was promised to work, word for word, from a fresh checkout beside ../shared; the demo, which is
 * promised too, is a step of its own in .ci/run.
 */
const LINES = [
  'npx pnpm@12 uploader publish ../shared/fixtures/catalogue.snapshot --store file://$T/store',
  'npx pnpm@12 fetcher list --store file://$T/store --json',
  'npx pnpm@12 fetcher verify --all --store file://$T/store',
  'npx pnpm@12 fetcher restore --store file://$T/store --data-dir $T/data',
  'npx pnpm@12 uploader check --store file://$T/store',
]

test('the first lines that a new user types do what they say', async () => {
  await using user = await newUser({ settled: false })
  user.env['T'] = (await user.run('mktemp -d')).stdout.trim()
  const said: string[] = []
  for (const line of LINES) {
    const { code, stdout, output } = await user.run(line)
    expect(code, `${line}\n${output}`).toBe(0)
    said.push(stdout)
  }
  const [published = '', listed = '', verified, restored] = said
  expect(published).toBe('0000000000-0000000001\n')
  expect(JSON.parse(listed)).toMatchObject([{ id: published.trim(), state: 'good', indexes: 3 }])
  expect(verified).toMatch(/0000000000-0000000001 +good/)
  expect(restored).toContain(`${user.env['T']}/data/data.ms`)
  expect(existsSync(`${user.env['T']}/data/data.ms/VERSION`)).toBe(true)
}, 120_000)
