import { createReadStream, existsSync, statSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { describe, expect, test } from 'vitest'
import { snapshotTaskOf } from '@meili-ha/core/meilisearch/snapshot-task.ts'
import type { Task } from '@meili-ha/core/meilisearch/task.ts'
import { which } from '../harness/meilisearch.ts'
import { until } from '../harness/until.ts'
import { ended, idle, idsOf, range, sandbox, snapshot, write, type Sandbox } from './sandbox.ts'

const REAL = which() !== 'stand-in'
const BOOKS = '/indexes/books/documents'

/** A snapshot of 30 documents, and the path it lies at. */
async function snapshotOfBooks(box: Sandbox): Promise<string> {
  const meilisearch = await box.start('origin')
  await write(
    meilisearch,
    'POST',
    BOOKS,
    range(0, 30).map((id) => ({ id, title: `book ${id}` })),
  )
  // Or it would hold them as a payload that is still queued: snapshots go first.
  await idle(meilisearch)
  await snapshot(meilisearch)
  await meilisearch.kill()
  return box.snapshotOf('origin')
}

/** Starts an import that must fail, and returns what it printed. */
async function refusedImport(box: Sandbox, file: string, args: string[] = []): Promise<string> {
  const refused = await box.start('b', {
    args: ['--import-snapshot', file, ...args],
    untilHealthy: false,
  })
  expect(await refused.exited).toEqual({ code: 1, signal: null })
  return refused.stderr()
}

describe(`a snapshot (${which()})`, () => {
  test('is renamed into place, read-only, and its mtime tells its task', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a')
    await write(meilisearch, 'POST', BOOKS, [{ id: 1 }])
    const first = await snapshot(meilisearch)
    const { ino } = statSync(box.snapshotOf('a'))
    const second = await snapshot(meilisearch)
    const info = statSync(box.snapshotOf('a'))
    expect(info.ino).not.toBe(ino)
    expect(info.mode & 0o777).toBe(0o444)
    expect(await readdir(join(box.dir, 'snapshots'))).toEqual(['a.ms.snapshot'])
    const { body } = await meilisearch.call('GET', '/tasks?types=snapshotCreation')
    const tasks = (body as { results: Task[] }).results
    expect(tasks.map((task) => task.uid)).toEqual([second.uid, first.uid])
    expect(snapshotTaskOf(tasks, info.mtimeMs)?.uid).toBe(second.uid)
  })

  test('holds what a real one holds, under the same names', async () => {
    await using box = await sandbox()
    const names: string[] = []
    const tar = createReadStream(await snapshotOfBooks(box))
      .pipe(createGunzip())
      .pipe(extract())
    for await (const entry of tar) {
      names.push(entry.header.name)
      entry.resume()
    }
    const shape = names.map((name) =>
      name.replace(/[0-9a-f-]{36}/, '<uuid>').replace(/(.)\/$/, '$1'),
    )
    expect(shape[0]).toBe('.')
    expect(shape.toSorted()).toEqual(
      [
        ...['.', 'VERSION', 'update_files', 'indexes', 'indexes/<uuid>', 'tasks', 'auth'],
        ...['indexes/<uuid>/data.mdb', 'tasks/data.mdb', 'tasks/lock.mdb', 'auth/data.mdb'],
      ].toSorted(),
    )
  })

  test('brings documents, keys and tasks to another instance, its own task excepted', async () => {
    await using box = await sandbox()
    const file = await snapshotOfBooks(box)
    const restored = await box.start('b', { args: ['--import-snapshot', file] })
    expect(await idsOf(restored, 'books')).toEqual(range(0, 30))
    const { body } = await restored.call('GET', '/tasks')
    expect((body as { results: Task[] }).results.map((task) => task.uid)).toEqual([0])
    // The next write takes the uid that the snapshot's task had.
    expect(await write(restored, 'POST', BOOKS, [{ id: 99 }])).toBe(1)
  })

  test('carries what is still queued, and cuts the queue in one place', async () => {
    await using box = await sandbox()
    // Batches of the stand-in are made slow, or nothing would be queued.
    const meilisearch = await box.start('a', { env: { STAND_IN_BATCH_MS: '50' } })
    const byTask = new Map<number, number>()
    const add = async (id: number) =>
      byTask.set(await write(meilisearch, 'POST', `/indexes/i${id % 3}/documents`, [{ id }]), id)
    for (const id of range(0, 12)) await add(id)
    const task = await write(meilisearch, 'POST', '/snapshots')
    await Promise.all(range(12, 30).map(add))
    await ended(meilisearch, task)
    const restored = await box.start('b', { args: ['--import-snapshot', box.snapshotOf('a')] })
    const newest = (await restored.call('GET', '/tasks?limit=1')).body as { results: Task[] }
    await idle(restored)
    const ids = await Promise.all([0, 1, 2].map((index) => idsOf(restored, `i${index}`)))
    const mark = newest.results[0]?.uid ?? -1
    expect(mark).toBeGreaterThanOrEqual(task - 1)
    const expected = [...byTask].filter(([uid]) => uid <= mark).map(([, id]) => id)
    expect(new Set(ids.flat())).toEqual(new Set(expected))
  })

  test('is made before documents that were queued earlier, and once for all who asked', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a', { env: { STAND_IN_BATCH_MS: '200' } })
    await write(
      meilisearch,
      'POST',
      BOOKS,
      range(0, 3000).map((id) => ({ id, title: `book ${id}` })),
    )
    // Another index, or they would join the batch that is already waiting.
    const later = await write(meilisearch, 'POST', '/indexes/late/documents', [{ id: 1 }])
    const asked = await Promise.all(range(0, 3).map(() => write(meilisearch, 'POST', '/snapshots')))
    const made = await Promise.all(asked.map((uid) => ended(meilisearch, uid)))
    expect(new Set(made.map((task) => task.startedAt)).size).toBe(1)
    const late = await ended(meilisearch, later)
    expect(Date.parse(late.startedAt ?? '')).toBeGreaterThanOrEqual(
      Date.parse(made[0]?.finishedAt ?? ''),
    )
  })

  test('is made on schedule, and not at the start', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a', { env: { MEILI_SCHEDULE_SNAPSHOT: '1' } })
    const { body } = await meilisearch.call('GET', '/tasks')
    expect((body as { results: Task[] }).results).toEqual([])
    await until('a snapshot is there', () => existsSync(box.snapshotOf('a')))
  })

  test('fails in the Community Edition when MEILI_S3_* is set', async () => {
    await using box = await sandbox()
    const names = 'BUCKET_URL BUCKET_REGION BUCKET_NAME SNAPSHOT_PREFIX ACCESS_KEY SECRET_KEY'
    const env = Object.fromEntries(names.split(' ').map((name) => [`MEILI_S3_${name}`, 'http://x']))
    const meilisearch = await box.start('a', { env })
    const task = await snapshot(meilisearch)
    expect(task).toMatchObject({ status: 'failed', error: { code: 'requires_enterprise_edition' } })
  })

  test("leaves a stranger's file in the directory alone, and at home", async () => {
    await using box = await sandbox()
    const first = await box.start('a')
    await first.kill()
    const lineage = join(box.dir, 'a.ms', 'meili-ha.json')
    await writeFile(lineage, '{}')
    const meilisearch = await box.start('a')
    await snapshot(meilisearch)
    await box.start('b', { args: ['--import-snapshot', box.snapshotOf('a')] })
    expect(existsSync(lineage)).toBe(true)
    expect(existsSync(join(box.dir, 'b.ms', 'meili-ha.json'))).toBe(false)
  })
})

describe(`an import (${which()})`, () => {
  test('over a database is refused, or skipped when told', async () => {
    await using box = await sandbox()
    const file = await snapshotOfBooks(box)
    const old = await box.start('b')
    await old.kill()
    expect(await refusedImport(box, file)).toContain(
      `Error: database already exists at "${box.dir}/b.ms", try to delete it or rename it`,
    )
    const args = ['--import-snapshot', file, '--ignore-snapshot-if-db-exists']
    expect(await idsOf(await box.start('b', { args }), 'books')).toEqual([])
  })

  test('of no file is refused, or skipped when told', async () => {
    await using box = await sandbox()
    const file = join(box.dir, 'none.snapshot')
    const message = `Error: snapshot doesn't exist at ${file}`
    expect(await refusedImport(box, file)).toContain(message)
    const args = ['--import-snapshot', file, '--ignore-missing-snapshot']
    const empty = await box.start('b', { args })
    await empty.kill()
    expect(await refusedImport(box, file, ['--ignore-snapshot-if-db-exists'])).toContain(message)
  })

  test('of a truncated, empty or foreign file fails, and the directory is gone', async () => {
    await using box = await sandbox()
    const whole = await readFile(await snapshotOfBooks(box))
    const damaged = join(box.dir, 'damaged.snapshot')
    for (const bytes of [
      whole.subarray(0, whole.length / 2),
      Buffer.alloc(0),
      Buffer.from('no gzip'),
    ]) {
      await writeFile(damaged, bytes)
      expect(await refusedImport(box, damaged)).toMatch(
        /unexpected end of file|invalid gzip header/,
      )
      expect(existsSync(join(box.dir, 'b.ms'))).toBe(false)
    }
  })

  test.each([
    ['a wrong gzip CRC', (file: Buffer) => file.fill(0x55, file.length - 8, file.length - 4)],
    ['a missing gzip trailer', (file: Buffer) => file.subarray(0, -8)],
  ])('does not notice %s', async (_, damage) => {
    await using box = await sandbox()
    const damaged = join(box.dir, 'damaged.snapshot')
    writeFileSync(damaged, damage(await readFile(await snapshotOfBooks(box))))
    const restored = await box.start('b', { args: ['--import-snapshot', damaged] })
    expect(await idsOf(restored, 'books')).toEqual(range(0, 30))
  })

  test('that was killed half-way is served empty by the usual recipe', async () => {
    await using box = await sandbox()
    const file = await snapshotOfBooks(box)
    // What a kill leaves, since VERSION is unpacked first.
    await mkdir(join(box.dir, 'b.ms'))
    await writeFile(join(box.dir, 'b.ms', 'VERSION'), which().split(' ')[1] ?? '1.50.0')
    const args = ['--import-snapshot', file, '--ignore-snapshot-if-db-exists']
    const partial = await box.start('b', { args })
    expect((await partial.call('GET', '/health')).body).toEqual({ status: 'available' })
    expect(await idsOf(partial, 'books')).toEqual([])
  })

  test.each(['lost+found/', 'meili-ha.json'])(
    'a directory with %s alone is refused',
    async (name) => {
      await using box = await sandbox()
      await mkdir(join(box.dir, 'b.ms', name.endsWith('/') ? name : ''), { recursive: true })
      if (!name.endsWith('/')) await writeFile(join(box.dir, 'b.ms', name), '{}')
      const refused = await box.start('b', { untilHealthy: false })
      expect(await refused.exited).toEqual({ code: 1, signal: null })
      expect(refused.stderr()).toContain('failed to infer the version of the database')
    },
  )

  test('a database of another version is refused', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('b')
    await meilisearch.kill()
    await writeFile(join(box.dir, 'b.ms', 'VERSION'), '1.49.0')
    const refused = await box.start('b', { untilHealthy: false })
    expect(await refused.exited).toEqual({ code: 1, signal: null })
    expect(refused.stderr()).toContain('Error: Your database version (1.49.0) is incompatible')
  })

  test.runIf(REAL)('of an older version is upgraded by a task of its own', async () => {
    await using box = await sandbox()
    const file = new URL('../fixtures/v1.37.snapshot', import.meta.url).pathname
    const restored = await box.start('b', { args: ['--import-snapshot', file] })
    expect((await idsOf(restored, 'books')).length).toBe(500)
    const { body } = await restored.call('GET', '/tasks?types=upgradeDatabase')
    expect(body).toMatchObject({ total: 1 })
  })
})

describe.skipIf(REAL)('the knobs of the stand-in', () => {
  test('an older version is upgraded by a task that takes the next uid; a newer one is refused', async () => {
    await using box = await sandbox()
    const old = await box.start('origin', { env: { STAND_IN_VERSION: '1.49.0' } })
    await write(old, 'POST', BOOKS, [{ id: 1 }])
    await snapshot(old)
    const args = ['--import-snapshot', box.snapshotOf('origin')]
    const restored = await box.start('b', { args })
    await idle(restored)
    expect(await ended(restored, 1)).toMatchObject({
      type: 'upgradeDatabase',
      details: { upgradeFrom: 'v1.49.0', upgradeTo: 'v1.50.0' },
    })
    expect(await readFile(join(box.dir, 'b.ms', 'VERSION'), 'utf8')).toBe('1.50.0')
    const env = { STAND_IN_VERSION: '1.37.0' }
    const refused = await box.start('c', { args, env, untilHealthy: false })
    expect(await refused.exited).toEqual({ code: 1, signal: null })
    expect(refused.stderr()).toContain('Downgrade is not supported')
    expect(existsSync(join(box.dir, 'c.ms'))).toBe(false)
  })

  test('an import killed half-way leaves a partial directory', async () => {
    await using box = await sandbox()
    const args = ['--import-snapshot', await snapshotOfBooks(box)]
    const env = { STAND_IN_IMPORT_ENTRY_MS: '100' }
    const killed = await box.start('b', { args, env, untilHealthy: false })
    await until('it has begun', () => existsSync(join(box.dir, 'b.ms', 'update_files')))
    await killed.kill()
    expect(existsSync(join(box.dir, 'b.ms', 'tasks'))).toBe(false)
    const served = await box.start('b', { args: [...args, '--ignore-snapshot-if-db-exists'] })
    expect(await idsOf(served, 'books')).toEqual([])
  })

  test('a kill in the middle of a snapshot leaves the old one and a .tmp', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a', { env: { STAND_IN_SNAPSHOT_MS: '60000' } })
    await write(meilisearch, 'POST', '/snapshots')
    const dir = join(box.dir, 'snapshots')
    const [name] = await until('the file is begun', async () => {
      const names = existsSync(dir) ? await readdir(dir) : []
      return names.length > 0 && names
    })
    await meilisearch.kill()
    expect(name).toMatch(/^\.tmp[0-9A-Za-z]{6}$/)
    expect(statSync(join(dir, name ?? '')).mode & 0o777).toBe(0o600)
    expect(existsSync(box.snapshotOf('a'))).toBe(false)
  })

  test('it can hang, ignore SIGTERM, and crash again and again', async () => {
    await using box = await sandbox()
    const sick = join(box.dir, 'sick')
    const env = { STAND_IN_IGNORE_SIGTERM: '1', STAND_IN_HANG_HEALTH_WHILE: sick }
    const meilisearch = await box.start('a', { env })
    await writeFile(sick, '')
    const signal = AbortSignal.timeout(200)
    await expect(fetch(`${meilisearch.url}/health`, { signal })).rejects.toThrow(/timeout|aborted/i)
    process.kill(meilisearch.pid, 'SIGTERM')
    expect((await meilisearch.call('GET', '/version')).status).toBe(200)
    const crashing = await box.start('b', {
      env: { STAND_IN_CRASH_AFTER_MS: '0' },
      untilHealthy: false,
    })
    expect(await crashing.exited).toEqual({ code: 1, signal: null })
  })
})
