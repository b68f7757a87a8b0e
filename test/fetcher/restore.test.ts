import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { readLineage } from '@meili-ha/core/data-dir/lineage.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { FIXTURES } from '../uploader/programs.ts'
import { runFetcher } from './in-place.ts'
import { claim, publish } from './publish.ts'
import { treeOf, treeOfSnapshot } from './tree.ts'

const EMPTY = join(FIXTURES, 'empty.snapshot')
const CATALOGUE = join(FIXTURES, 'catalogue.snapshot')
const BACKLOG = join(FIXTURES, 'backlog.snapshot')
const OLD = join(FIXTURES, 'v1.37.snapshot')

async function scene() {
  const dir = await tempDir()
  onTestFinished(() => dir[Symbol.asyncDispose]())
  const url = `file://${join(dir.path, 'store')}`
  const data = join(dir.path, 'data')
  const live = join(data, 'data.ms')
  return {
    store: openStore(url),
    files: join(dir.path, 'store'),
    data,
    live,
    restore: (...more: string[]) =>
      runFetcher([
        ...['restore', '--store', url, '--data-dir', data, '--log-level', 'warn'],
        ...['--timeout', '0', ...more],
      ]),
    run: (command: string, ...more: string[]) => runFetcher([command, '--store', url, ...more]),
  }
}
const tarballOf = (files: string, { object }: Manifest) => join(files, object?.key as string)

describe('fetcher restore', () => {
  test.each([EMPTY, CATALOGUE, BACKLOG, OLD])('gives what another tar reads: %s', async (file) => {
    const { store, live, restore } = await scene()
    await publish(store, file, { seq: 1 })
    expect(await restore()).toMatchObject({
      code: 0,
      stdout: `restored 0000000000-0000000001 into ${live}\n`,
    })
    expect(await treeOf(live)).toEqual(await treeOfSnapshot(file))
    expect(await readLineage(live)).toMatchObject({ primaryIn: [0], claim: null })
  })

  test('run twice keeps what is there', async () => {
    const { store, data, restore } = await scene()
    await publish(store, CATALOGUE, { seq: 1 })
    await restore()
    await publish(store, EMPTY, { seq: 2 })
    expect(JSON.parse((await restore('--json')).stdout)).toMatchObject({ action: 'keep' })
    expect(await readdir(data)).toEqual(['data.ms', 'data.ms.lock'])
  })

  test('what was unpacked for a newer Meilisearch is given to the old one as its own', async () => {
    const { store, live, restore } = await scene()
    const { meilisearch } = await publish(store, OLD, { seq: 1 })
    const version = meilisearch.version as string
    const written = () => readFile(join(live, 'VERSION'), 'utf8')
    await restore('--engine-version', '1.50.0')
    expect(await written()).toBe('1.50.0')
    await rename(live, `${live}.next`)
    await mkdir(live)
    await writeFile(join(live, 'stray'), 'of a database that is not whole')
    expect(await restore('--engine-version', version)).toMatchObject({ code: 0 })
    expect(await written()).toBe(version)
  })

  test('what a person replaces is kept, even where nothing says that it took writes', async () => {
    const { store, data, live, restore } = await scene()
    await publish(store, CATALOGUE, { seq: 1 })
    await restore('--lease', 'none', '--ha-dir', join(data, 'ha'))
    expect(await readLineage(live)).toMatchObject({ primaryIn: [] })
    await writeFile(join(live, 'stray'), 'a write')
    const { stdout } = await restore('--id', '0000000000-0000000001', '--json')
    const { setAside } = JSON.parse(stdout) as { setAside: string }
    expect(await readFile(join(setAside, 'stray'), 'utf8')).toBe('a write')
  })

  test('run twice at once restores once', async () => {
    const { store, live, restore } = await scene()
    await publish(store, BACKLOG, { seq: 1 })
    const both = await Promise.all([restore('--json'), restore('--json')])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    const actions = both.map(({ stdout }) => (JSON.parse(stdout) as { action: string }).action)
    expect(actions.toSorted()).toEqual(['keep', 'restore'])
    expect(await treeOf(live)).toEqual(await treeOfSnapshot(BACKLOG))
  })

  test.each<[string, (files: string, newest: Manifest, other: Manifest) => Promise<unknown>]>([
    ['is gone', (files, newest) => rm(tarballOf(files, newest))],
    ['is truncated', (files, newest) => truncate(tarballOf(files, newest), 65_536)],
    ['has a flipped bit', (files, newest) => flip(tarballOf(files, newest))],
    [
      'was swapped for another',
      (files, newest, other) => rename(tarballOf(files, other), tarballOf(files, newest)),
    ],
  ])('takes the next older one, and says so, when the newest %s', async (_, damage) => {
    const { store, files, live, restore } = await scene()
    const good = await publish(store, CATALOGUE, { seq: 1 })
    const other = await publish(store, BACKLOG, { seq: 2 })
    const newest = await publish(store, BACKLOG, { seq: 3 })
    await rm(join(files, `snapshots/${other.id}.json`))
    await damage(files, newest, await publish(store, EMPTY, { seq: 9, minute: 1 }))
    await rm(join(files, 'snapshots/0000000000-0000000009.json'))
    const { code, stderr } = await restore()
    expect(code).toBe(0)
    expect(stderr).toContain(newest.id)
    expect((await readLineage(live))?.snapshotId).toBe(good.id)
    expect(await treeOf(live)).toEqual(await treeOfSnapshot(CATALOGUE))
  })

  test.each<[string, string[]]>([
    ['in place', []],
    ['elsewhere', ['--to']],
  ])('goes on to the oldest, %s, when all the newer ones are damaged', async (_, to) => {
    const { store, files, data, live, restore } = await scene()
    const good = await publish(store, EMPTY, { seq: 1 })
    for (let seq = 2; seq <= 11; seq++) {
      await flip(tarballOf(files, await publish(store, EMPTY, { seq })))
    }
    const elsewhere = join(data, 'elsewhere')
    const { code } = await restore(...to.flatMap((flag) => [flag, elsewhere]))
    expect(code).toBe(0)
    expect(await readLineage(to.length > 0 ? elsewhere : live)).toMatchObject({
      snapshotId: good.id,
    })
  })

  test('never goes past a final that is damaged', async () => {
    const { store, files, live, restore } = await scene()
    await publish(store, CATALOGUE, { seq: 1 })
    await flip(tarballOf(files, await publish(store, BACKLOG, { seq: 2, final: true })))
    const { code, stderr } = await restore()
    expect(code).toBe(20)
    expect(stderr).toContain('fetcher restore --id')
    await expect(readdir(live)).rejects.toThrow('ENOENT')
    expect(await restore('--id', '0000000000-0000000001')).toMatchObject({ code: 0 })
  })

  test('never takes what a zombie wrote', async () => {
    const { store, live, restore } = await scene()
    const base = await publish(store, CATALOGUE, { epoch: 1, seq: 1 })
    await claim(store, base, 2, 'm9')
    await publish(store, BACKLOG, { epoch: 1, seq: 2 })
    expect(await restore()).toMatchObject({ code: 0 })
    expect(await treeOf(live)).toEqual(await treeOfSnapshot(CATALOGUE))
  })

  test('a manifest that lies about the version is not believed', async () => {
    const { store, files, restore } = await scene()
    const { id } = await publish(store, CATALOGUE, { seq: 1 })
    const path = join(files, `snapshots/${id}.json`)
    await writeFile(path, (await readFile(path, 'utf8')).replace('"1.50.0"', '"1.49.0"'))
    expect(await restore()).toMatchObject({ code: 20 })
  })

  test('a manifest of a newer format is no reason to fall back', async () => {
    const { store, files, live, restore } = await scene()
    await publish(store, CATALOGUE, { seq: 1 })
    const { id } = await publish(store, BACKLOG, { seq: 2 })
    const path = join(files, `snapshots/${id}.json`)
    await writeFile(path, (await readFile(path, 'utf8')).replace('"format":1', '"format":2'))
    const { code, stderr } = await restore()
    expect(code).toBe(20)
    expect(stderr).toContain('MEILI_HA_MANIFEST_NEWER_FORMAT')
    await expect(readdir(live)).rejects.toThrow('ENOENT')
  })

  test('refuses a newer Meilisearch before anything is moved', async () => {
    const { store, data, live, restore } = await scene()
    await publish(store, CATALOGUE, { epoch: 1, seq: 1 })
    await mkdir(live, { recursive: true })
    await writeFile(join(live, 'VERSION'), '1.50.0')
    const { code, stderr } = await restore('--engine-version', '1.49.0')
    expect(code).toBe(20)
    expect(stderr).toMatch(/1\.50\.0.*1\.49\.0/)
    expect(await readdir(data)).toEqual(['data.ms', 'data.ms.lock'])
  })

  test('lets the engine upgrade an older one, as an import does', async () => {
    const { store, live, restore } = await scene()
    await publish(store, OLD, { seq: 1 })
    expect(await restore('--engine-version', 'v1.50.0')).toMatchObject({ code: 0 })
    expect(await readFile(join(live, 'VERSION'), 'utf8')).toBe('1.50.0')
  })

  test('sets a partial directory aside', async () => {
    const { store, data, live, restore } = await scene()
    await publish(store, CATALOGUE, { seq: 1 })
    await mkdir(live, { recursive: true })
    await writeFile(join(live, 'VERSION'), '1.50.0')
    const { code, stdout } = await restore()
    expect(code).toBe(0)
    expect(stdout).toContain('fetcher discard')
    const [, aside] = await readdir(data)
    expect(await readdir(join(data, aside as string))).toEqual(['VERSION'])
  })

  test('leaves data that it knows nothing about to a person', async () => {
    const { store, data, live, restore } = await scene()
    await publish(store, CATALOGUE, { seq: 1, writer: 'another' })
    await mkdir(live, { recursive: true })
    execFileSync('tar', ['-xzf', BACKLOG, '-C', live])
    const before = await treeOf(live)
    const { code, stderr } = await restore()
    expect(code).toBe(20)
    expect(stderr).toContain('--unknown-data')
    expect(await restore('--unknown-data', 'keep')).toMatchObject({ code: 0 })
    expect(await treeOf(live)).toEqual(before)
    expect(await restore('--unknown-data', 'set-aside')).toMatchObject({ code: 0 })
    expect(await treeOf(live)).toEqual(await treeOfSnapshot(CATALOGUE))
    const aside = (await readdir(data)).find((name) => name.includes('diverged')) as string
    expect(await treeOf(join(data, aside))).toEqual(before)
  })

  test('a store that was never used begins empty, or not', async () => {
    const { live, restore } = await scene()
    expect(await restore()).toMatchObject({ code: 0 })
    await expect(readdir(live)).rejects.toThrow('ENOENT')
    expect(await restore('--if-none', 'fail')).toMatchObject({ code: 10 })
  })

  test('in a member with a lease it only restores or keeps, and leaves the rest', async () => {
    const { store, data, live, restore } = await scene()
    const ha = join(data, '..', 'ha')
    await mkdir(ha)
    expect((await restore('--ha-dir', ha)).stdout).toContain('fetcher follow')
    await publish(store, CATALOGUE, { seq: 1 })
    expect((await restore('--ha-dir', ha)).stdout).toContain('fetcher follow')
    await expect(readdir(live)).rejects.toThrow('ENOENT')
    await writeFile(join(ha, 'engine'), 'meilisearch 1.50.0\n')
    expect(await restore('--ha-dir', ha)).toMatchObject({ code: 0 })
    expect(await readLineage(live)).toMatchObject({ primaryIn: [] })
  })

  test('beside a guard without a lease it prepares a replica, which takes no writes', async () => {
    const { store, data, live, restore } = await scene()
    await publish(store, CATALOGUE, { seq: 1 })
    expect(await restore('--ha-dir', data, '--lease', 'none')).toMatchObject({ code: 0 })
    expect(await readLineage(live)).toMatchObject({ primaryIn: [] })
  })

  test('never mixes clusters', async () => {
    const { store, files, live, restore } = await scene()
    await publish(store, CATALOGUE, { seq: 1 })
    await restore()
    await rm(files, { recursive: true })
    await publish(store, BACKLOG, { seq: 1, clusterId: 'somebody-else' })
    const { code, stderr } = await restore()
    expect(code).toBe(20)
    expect(stderr).toContain('MEILI_HA_WRONG_CLUSTER')
    expect(await treeOf(live)).toEqual(await treeOfSnapshot(CATALOGUE))
  })

  test('--at and --to give a person an older one elsewhere', async () => {
    const { store, data, restore } = await scene()
    await publish(store, CATALOGUE, { seq: 1, minute: 10 })
    await publish(store, BACKLOG, { seq: 2, minute: 20 })
    const to = join(data, '..', 'elsewhere')
    expect(await restore('--at', '2026-11-23T08:15:00Z', '--to', to)).toMatchObject({ code: 0 })
    expect(await treeOf(to)).toEqual(await treeOfSnapshot(CATALOGUE))
    await expect(readdir(data)).rejects.toThrow('ENOENT')
    expect(await restore('--to', to)).toMatchObject({ code: 2 })
    expect(await restore('--id', '0000000000-0000000007')).toMatchObject({ code: 10 })
  })
})

test('a member without a name, or with one that steers terminals, is refused', async () => {
  const { restore } = await scene()
  for (const name of ['', ' ', 'a\nb', '\u001b[31mred']) {
    expect(await restore('--member', name)).toMatchObject({ code: 2 })
  }
})

describe('fetcher for people', () => {
  test('list shows what is there, and what is wrong with it', async () => {
    const { store, files, run } = await scene()
    expect(await run('list', '--json')).toMatchObject({ code: 0, stdout: '[]\n' })
    const base = await publish(store, CATALOGUE, { epoch: 1, seq: 1 })
    await publish(store, BACKLOG, { epoch: 1, seq: 2, final: true })
    await claim(store, base, 2, 'm9')
    await rm(tarballOf(files, await publish(store, EMPTY, { epoch: 2, seq: 1 })))
    const { code, stdout } = await run('list', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject([
      { id: '0000000002-0000000001', state: 'tarball-gone', chain: 'on' },
      { id: '0000000002-0000000000', claim: true, claimOf: base.id },
      { id: '0000000001-0000000002', chain: 'off', final: true },
      { id: base.id, state: 'good', chain: 'on' },
    ])
    expect((await run('list')).stdout).toMatch(/0000000001-0000000002 .*off-chain, final/)
  })

  test('verify reads everything, and fails when anything is bad', async () => {
    const { store, files, run } = await scene()
    expect(await run('verify', '--all', '--json')).toMatchObject({ code: 0, stdout: '[]\n' })
    await publish(store, CATALOGUE, { seq: 1 })
    const bad = await publish(store, BACKLOG, { seq: 2 })
    await flip(tarballOf(files, bad))
    const { code, stdout } = await run('verify', '--all')
    expect(code).toBe(1)
    expect(stdout).toMatch(/0000000000-0000000002 +BAD +part 0/)
    expect(stdout).toMatch(/0000000000-0000000001 +good/)
    expect(await run('verify', '0000000000-0000000001')).toMatchObject({ code: 0 })
    expect(await run('verify', '0000000000-0000000003')).toMatchObject({ code: 10 })
  })

  test('discard removes what was named, and all only when that is meant', async () => {
    await using dir = await tempDir()
    const name = 'data.ms.diverged-3-20261123T074929Z'
    const other = 'data.ms.diverged-4-20261123T084929Z'
    for (const aside of [name, other]) await mkdir(join(dir.path, aside))
    await writeFile(join(dir.path, name, 'VERSION'), '1.50.0')
    const discard = (...args: string[]) => runFetcher(['discard', '--data-dir', dir.path, ...args])
    expect(JSON.parse((await discard('--json')).stdout)).toMatchObject([
      { name, epoch: 3, setAsideAt: '2026-11-23T07:49:29.000Z' },
      { name: other },
    ])
    expect(await discard('data.ms')).toMatchObject({ code: 10 })
    expect(await discard('--all')).toMatchObject({ code: 2 })
    expect(await discard(name)).toMatchObject({ code: 0 })
    expect(await readdir(dir.path)).toEqual([other])
    expect(await discard('--all', '--yes')).toMatchObject({ code: 0 })
    expect(await readdir(dir.path)).toEqual([])
  })

  test('guard puts the script there, executable', async () => {
    await using dir = await tempDir()
    const to = join(dir.path, 'bin')
    expect(await runFetcher(['guard', '--to', to])).toMatchObject({
      code: 0,
      stdout: `${to}/guard.sh\n`,
    })
    const source = fileURLToPath(new URL('../../docker/guard.sh', import.meta.url))
    expect(await readFile(join(to, 'guard.sh'))).toEqual(await readFile(source))
    expect(() => execFileSync(join(to, 'guard.sh'), { stdio: 'ignore' })).toThrow('Command failed')
    expect(await readdir(to)).toEqual(['guard.sh'])
  })

  test('check skips what it was not given, and finds what is wrong', async () => {
    const { store, data, live, run } = await scene()
    const { code, stdout } = await runFetcher(['check'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/store: list and read manifests +skipped/)
    await publish(store, CATALOGUE, { seq: 1 })
    await mkdir(live, { recursive: true })
    await writeFile(join(live, 'VERSION'), '1.50.0')
    const found = await run('check', '--data-dir', data, '--log-level', 'silent')
    expect(found.code).toBe(1)
    expect(found.stdout).toMatch(/whole or absent +failed +.* lacks tasks\/data.mdb/)
    expect(found.stdout).toMatch(/read the newest snapshot +ok/)
  })

  test.each(['restore', 'follow', 'list', 'verify', 'discard', 'guard', 'check', 'health'])(
    '%s --help begins with a sentence',
    async (command) => {
      const { code, stdout } = await runFetcher([command, '--help'])
      expect(code).toBe(0)
      expect(stdout).toContain(`Usage: fetcher ${command}`)
    },
  )
})

/** One bit in the middle. */
async function flip(path: string): Promise<void> {
  const bytes = await readFile(path)
  const middle = bytes.length >> 1
  bytes[middle] = (bytes[middle] as number) ^ 1
  await writeFile(path, bytes)
}
