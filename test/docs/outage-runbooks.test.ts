import { execFileSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { ids, write } from './books.ts'
import { memberSettings, startMachine, waitUntil, type Machine } from './machine.ts'
import { follow, page } from './page.ts'

const LONG = { timeoutMs: 60_000, everyMs: 50 }
/** A restore leaves 256 MB free; this holds that and the data, and is full with 100 MB more. */
const VOLUME_MB = 340
const BALLAST_MB = 100

describe('in a cluster of two', () => {
  let stack: AsyncDisposableStack
  let store: string
  /** Of search-2; undefined where nothing may be mounted. */
  let volume: string | undefined
  let first: Machine
  let second: Machine

  beforeAll(async () => {
    stack = new AsyncDisposableStack()
    const root = stack.use(await tempDir()).path
    store = join(root, 'store')
    volume = await smallVolume(join(root, 'volume'), stack)
    const settings = memberSettings(store)
    first = stack.use(await startMachine('search-1', settings))
    second = stack.use(await startMachine('search-2', settings, volume ? { volume } : {}))
    await first.startAll()
    await waitUntil(first, '/primary')
    await second.startAll()
    await write(first, 1, 2)
    await waitUntil(second, '/replica')
  }, 180_000)
  afterAll(() => stack.disposeAsync())

  test('disk full', async ({ skip }) => {
    if (volume === undefined) {
      skip()
      return
    }
    const aside = 'data.ms.diverged-1-20261123T074929Z'
    await mkdir(join(volume, aside))
    await writeFile(join(volume, aside, 'writes'), Buffer.alloc(BALLAST_MB * 1024 * 1024))
    await write(first, 3)
    await until('it is full', () => second.said().includes('MEILI_HA_DISK_FULL'), LONG)
    expect(await ids(second)).toEqual([1, 2])
    const full = page('runbooks/disk-full.md')
    await follow(full, '## Steps', { standby: second.user })
    await follow(full, '## Check', { standby: second.user })
    await until('it follows', async () => (await ids(second)).includes(3), LONG)
  }, 120_000)

  test('lost bucket', async () => {
    const held = await ids(first)
    await rm(store, { recursive: true, maxRetries: 10 })
    const lost = page('runbooks/lost-bucket.md')
    const leads = async () => {
      for (const one of [first, second]) if ((await one.route('/primary')) === 200) return one
      return undefined
    }
    const primary = await until('one leads', leads, LONG)
    await follow(lost, '## Steps', { primary: primary.user })
    await waitUntil(primary, '/primary')
    await follow(lost, '## Check', { primary: primary.user })
    const other = primary === first ? second : first
    await waitUntil(other, '/replica')
    for (const one of [primary, other]) expect(await ids(one)).toEqual(held)
  }, 180_000)
})

/** A file system of its own, small enough to be filled; it goes with the stack. */
async function smallVolume(at: string, stack: AsyncDisposableStack): Promise<string | undefined> {
  await mkdir(at)
  try {
    execFileSync('/usr/bin/mount', ['-t', 'tmpfs', '-o', `size=${VOLUME_MB}m`, 'tmpfs', at], {
      stdio: 'pipe',
    })
  } catch (error) {
    console.warn(`SKIPPED: disk full: a small volume can't be mounted here: ${String(error)}`)
    return undefined
  }
  stack.defer(() => void execFileSync('/usr/bin/umount', [at]))
  return at
}
