import { chmod, cp, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import type { Engine } from '../cluster/member.ts'
import { meilisearchCommand } from '../harness/meilisearch.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { manifestsIn } from '../uploader/programs.ts'
import { ids, write } from './books.ts'
import { memberSettings, startMachine, waitUntil, type Machine } from './machine.ts'
import type { NewUser } from './new-user.ts'
import { follow, page } from './page.ts'

const old = process.env['MEILISEARCH_BIN_OLD']
const real = process.env['MEILISEARCH_BIN']
const oneReal = Boolean(real) !== Boolean(old)
if (oneReal) {
  console.warn('SKIPPED: an upgrade needs both MEILISEARCH_BIN and MEILISEARCH_BIN_OLD, or neither')
}
const OLD: Engine = old ? { bin: old } : { env: { STAND_IN_VERSION: '1.49.0' } }

const NEW_MASTER_KEY = 'another-master-key-0123456789'
const NEW_STORE_KEY = 'AWS_ACCESS_KEY_ID=second\nAWS_SECRET_ACCESS_KEY=second-secret\n'
const FORMER_KEY = {
  ...{ name: 'meili-ha', description: null, expiresAt: null, indexes: ['*'] },
  actions: ['snapshots.create', 'tasks.get'],
}

/** What its Meilisearch answers to one who shows this key. */
async function statusWith(user: NewUser, key: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}` }
  return (await fetch(`http://${user.address(7700)}/tasks?limit=1`, { headers })).status
}

/** Puts a program there that runs that Meilisearch. */
async function install(path: string, { bin, env = {} }: Engine): Promise<void> {
  const settings = Object.entries(env).map((pair) => `export ${pair.join('=')}\n`)
  const command = `exec ${meilisearchCommand(bin).join(' ')} "$@"`
  await writeFile(path, `#!/bin/sh\n${settings.join('')}${command}\n`)
  await chmod(path, 0o755)
}

describe('what is planned, in a cluster of two', () => {
  let stack: AsyncDisposableStack
  let root: string
  let search: Record<1 | 2, Machine>
  const shells = () => ({ primary: search[1].user, standby: search[2].user })
  const stored = (machine: Machine, ...numbers: number[]) =>
    until(`${machine.name} has ${numbers.join(' ')}`, async () => {
      const there = await ids(machine)
      return numbers.every((id) => there.includes(id))
    })
  const started = async (number: 1 | 2) => {
    const name = `search-${number}`
    const { MEILI_HA_API_KEY: key = '', ...settings } = memberSettings(join(root, 'search'))
    Object.assign(settings, { AWS_ACCESS_KEY_ID: 'first', AWS_SECRET_ACCESS_KEY: 'first-secret' })
    const keyFile = join(root, `${name}.key`)
    await writeFile(keyFile, key)
    settings['MEILI_HA_API_KEY_FILE'] = keyFile
    const machine = stack.use(await startMachine(name, settings))
    const { places, bin, cwd } = machine.user
    places.set('/etc/meili-ha.key', keyFile)
    places.set('/root/new-master-key', join(root, 'new-master-key'))
    places.set('/root/new-store-key', join(root, 'new-store-key'))
    places.set('/srv/meili-ha/search', join(root, 'search'))
    places.set('/srv/meili-ha/search-1.49', join(root, 'older'))
    places.set('/mnt/new/search', join(root, 'moved'))
    await install(join(bin, 'meilisearch'), OLD)
    await install(join(cwd, 'meilisearch-1.50.0'), {})
    await machine.startAll()
    return machine
  }

  beforeAll(async () => {
    stack = new AsyncDisposableStack()
    root = stack.use(await tempDir()).path
    search = { 1: await started(1), 2: await started(2) }
    await waitUntil(search[1], '/primary')
    await write(search[1], 1, 2)
    await waitUntil(search[2], '/replica')
  }, 120_000)
  afterAll(() => stack.disposeAsync())

  test('move the bucket', async () => {
    const move = page('runbooks/move-the-bucket.md')
    await write(search[1], 3)
    await follow(move, '## Steps', shells())
    await write(search[1], 4)
    await follow(move, '## Check', shells())
    await stored(search[2], 1, 2, 3, 4)
    const before = await manifestsIn(openStore(`file://${root}/search`))
    const after = await manifestsIn(openStore(`file://${root}/moved`))
    expect(after.length).toBeGreaterThan(before.length)
    await write(search[1], 5)
    await follow(move, '## Back out', shells())
    expect(await ids(search[1])).toEqual([1, 2, 3, 4, 5])
  }, 180_000)

  test('rotate keys', async () => {
    const rotate = page('runbooks/rotate-keys.md')
    const files = [1, 2].map((number) => join(root, `search-${number}.key`))
    const made = await search[1].call('POST', '/keys', FORMER_KEY)
    const former = (made.body as { key: string }).key
    for (const file of files) {
      await writeFile(file, former)
      await chmod(file, 0o640)
    }
    await writeFile(join(root, 'new-master-key'), NEW_MASTER_KEY)
    await writeFile(join(root, 'new-store-key'), NEW_STORE_KEY)
    await write(search[1], 8)
    await follow(rotate, '## Steps', shells())
    await write(search[1], 9)
    await follow(rotate, '## Check', shells())
    await stored(search[2], 8, 9)
    const [first, second] = await Promise.all(files.map((file) => readFile(file, 'utf8')))
    expect(first).toBe(second)
    // Whose the file is, and who may read it, stays: the programs needn't run as who rotates.
    for (const file of files) expect((await stat(file)).mode & 0o777).toBe(0o640)
    for (const { user } of Object.values(search)) {
      expect(await statusWith(user, NEW_MASTER_KEY)).toBe(200)
      const settings = await readFile(user.places.get('/etc/meili-ha.env')!, 'utf8')
      expect(settings.match(/^AWS_.*\n/gm)?.join('')).toBe(NEW_STORE_KEY)
      expect(await statusWith(user, memberSettings('')['MEILI_MASTER_KEY']!)).toBe(403)
      expect(await statusWith(user, first!.trim())).toBe(200)
      expect(await statusWith(user, former)).toBe(403)
    }
  }, 180_000)

  test.skipIf(oneReal)(
    'upgrade Meilisearch',
    async () => {
      const upgrade = page('runbooks/upgrade-meilisearch.md')
      const version = async (machine: Machine) =>
        ((await machine.call('GET', '/version')).body as { pkgVersion: string }).pkgVersion
      const before = await version(search[1])
      await write(search[1], 6)
      const said = await follow(upgrade, '### What you can go back to', shells())
      await follow(upgrade, '### The standbys', shells())
      const after = await version(search[2])
      expect(after).not.toBe(before)
      await follow(upgrade, '### Before the switch-over', shells())
      expect(await version(search[2])).toBe(before)

      await follow(upgrade, '### The standbys', shells())
      await follow(upgrade, '### The switch-over', shells())
      await follow(upgrade, '### The former primary', shells())
      await follow(upgrade, '## Check', shells())
      expect([await version(search[1]), await version(search[2])]).toEqual([after, after])
      await write(search[2], 7)
      await stored(search[1], 6, 7)

      const kept = (await manifestsIn(openStore(`file://${root}/search`))).find(({ id }) =>
        said.includes(id),
      )
      search[1].user.places.set(
        '/srv/meili-ha/search/snapshots/0000000001-0000000004-20261123T065500Z.snapshot',
        join(root, 'search', kept?.object?.key ?? ''),
      )
      // What was unpacked for the next swap when the fetcher was stopped is of the newer cluster too.
      await search[1].systemctl('stop', [
        'meilisearch',
        'meili-ha-lease-keeper',
        'meili-ha-fetcher',
      ])
      const live = join(search[1].data, 'data.ms')
      await cp(live, `${live}.next`, { recursive: true, force: true })
      await follow(upgrade, '### After it', shells())
      expect([await version(search[1]), await version(search[2])]).toEqual([before, before])
      const former = await ids(search[1])
      expect(former).toContain(6)
      expect(former).not.toContain(7)
      await write(search[1], 10)
      await stored(search[2], 6, 10)
    },
    240_000,
  )
})
