import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HaDir } from './ha-dir.ts'
import { HaBell } from './ha-bell.ts'

const LONG_MS = 60_000
const never = new AbortController().signal
let ha: HaDir

beforeEach(async () => {
  ha = new HaDir(await mkdtemp(join(tmpdir(), 'ha-bell-')))
})
afterEach(() => rm(ha.path, { recursive: true }))

test('a file that is written ends the wait', async () => {
  using bell = new HaBell(ha, ['want'])
  const waited = bell.wait(LONG_MS, never)
  await ha.writeLine('want', 'promote 2')
  expect([...(await waited)]).toEqual(['want'])
})

test('one that was written between two waits ends the next', async () => {
  using bell = new HaBell(ha, ['want'])
  await ha.writeLine('want', 'promote 2')
  await new Promise((resolve) => setTimeout(resolve, 50))
  await bell.wait(LONG_MS, never)
})

test('what the guard and others write does not', async () => {
  using bell = new HaBell(ha, ['want'])
  let woken = false
  const stop = new AbortController()
  const waited = bell.wait(LONG_MS, stop.signal).then(() => (woken = true))
  await ha.writeLine('guard', 'stopped - 1 | - | -')
  await ha.writeLine('sync.json', '{}')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(woken).toBe(false)
  stop.abort()
  await waited
})

test('where nothing can be watched the wait runs its time', async () => {
  using bell = new HaBell({ path: join(ha.path, 'absent') }, ['want'])
  expect((await bell.wait(10, never, LONG_MS)).size).toBe(0)
})

test('while the kernel tells what happens the wait may be longer, and is not once it falls silent', async () => {
  using bell = new HaBell(ha, ['want'])
  await ha.writeLine('guard', 'stopped - 1 | - | -')
  await new Promise((resolve) => setTimeout(resolve, 50))
  const began = performance.now()
  await bell.wait(1, never, 300)
  expect(performance.now() - began).toBeGreaterThan(250)
  await bell.wait(1, never, LONG_MS)
})
