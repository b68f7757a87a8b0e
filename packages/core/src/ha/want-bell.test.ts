import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HaDir } from './ha-dir.ts'
import { WantBell } from './want-bell.ts'

const LONG_MS = 60_000
const never = new AbortController().signal
let ha: HaDir

beforeEach(async () => {
  ha = new HaDir(await mkdtemp(join(tmpdir(), 'want-bell-')))
})
afterEach(() => rm(ha.path, { recursive: true }))

test('a want that is written ends the wait', async () => {
  using bell = new WantBell(ha)
  const waited = bell.wait(LONG_MS, never)
  await ha.writeLine('want', 'promote 2')
  await waited
})

test('one that was written between two waits ends the next', async () => {
  using bell = new WantBell(ha)
  await ha.writeLine('want', 'promote 2')
  await new Promise((resolve) => setTimeout(resolve, 50))
  await bell.wait(LONG_MS, never)
})

test('what the guard and others write does not', async () => {
  using bell = new WantBell(ha)
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
  using bell = new WantBell({ path: join(ha.path, 'absent') })
  await bell.wait(10, never)
})
