import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { execFileSync } from 'node:child_process'
import { meilisearchCommand, which } from '../harness/meilisearch.ts'
import { startProcess } from '../harness/process.ts'
import { ended, idle, idsOf, MASTER_KEY, range, sandbox, write } from './sandbox.ts'

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')) as {
    status: number
    body: Record<string, unknown>
  }

/** The same promises for the stand-in and, with MEILISEARCH_BIN, for a real one. */
describe(`a Meilisearch process (${which()})`, () => {
  test('prints its version', () => {
    const [file = '', ...args] = meilisearchCommand()
    const printed = execFileSync(file, [...args, '--version'], { encoding: 'utf8' })
    expect(printed).toMatch(/^meilisearch \d+\.\d+\.\d+\n$/)
  })

  test('is found by its name', async () => {
    await using box = await sandbox()
    const { pid } = await box.start('a')
    expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('meilisearch\n')
  })

  test.each([
    [['--no-such-flag'], /unexpected argument '--no-such-flag' found/],
    [['stray'], /unexpected argument 'stray' found/],
    [['--env', 'staging'], /invalid value 'staging' for '--env <ENV>'/],
    [['--schedule-snapshot=x'], /invalid value 'x' for '--schedule-snapshot/],
    [['--ignore-missing-snapshot'], /--import-snapshot <IMPORT_SNAPSHOT>/],
  ])('refuses %j with exit code 2', async (args, message) => {
    await using refused = startProcess({ command: [...meilisearchCommand(), ...args], cwd: '/tmp' })
    expect(await refused.exited).toEqual({ code: 2, signal: null })
    expect(refused.stderr()).toMatch(message)
  })

  test('a half set of MEILI_S3_* settings stops it', async () => {
    const env = { MEILI_S3_BUCKET_URL: 'http://127.0.0.1:1' }
    await using refused = startProcess({ command: meilisearchCommand(), env, cwd: '/tmp' })
    expect(await refused.exited).toEqual({ code: 2, signal: null })
    expect(refused.stderr()).toMatch(/--s3-bucket-name/)
  })

  test('dies of SIGTERM at once', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a')
    expect(await meilisearch.kill('SIGTERM')).toEqual({ code: null, signal: 'SIGTERM' })
  })

  test('a second process on the same directory starts and serves', async () => {
    await using box = await sandbox()
    await box.start('a')
    const second = await box.start('a')
    expect((await second.call('GET', '/health')).body).toEqual({ status: 'available' })
  })
})

describe(`its answers (${which()})`, () => {
  test('health needs no key; everything else does', async () => {
    await using box = await sandbox()
    const { url } = await box.start('a')
    const get = async (path: string, key?: string) => {
      const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {}
      const answer = await fetch(`${url}${path}`, { headers })
      return { status: answer.status, body: await answer.json() }
    }
    expect(await get('/health')).toEqual({ status: 200, body: { status: 'available' } })
    expect(await get('/version')).toEqual(fixture('http-401.json'))
    expect(await get('/version', 'wrong')).toEqual(fixture('http-403.json'))
    expect(await get('/version', MASTER_KEY)).toMatchObject({ status: 200 })
  })

  test('a key may do what its actions and indexes say', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a')
    const { key: expected, uid } = fixture('http-post-keys-meili-ha.json') as unknown as {
      key: string
      uid: string
    }
    const create = async (body: Record<string, unknown>) =>
      (await meilisearch.call('POST', '/keys', { expiresAt: null, ...body })).body as {
        key: string
        code?: string
      }
    const ours = await create({ uid, actions: ['snapshots.create', 'tasks.get'], indexes: ['*'] })
    // The value follows from master key and uid alone, so it outlives any restore.
    expect(ours.key).toBe(expected)
    const narrow = await create({ actions: ['tasks.get'], indexes: ['books'] })
    const impossible = await create({ actions: ['snapshots.create'], indexes: ['books'] })
    expect(impossible.code).toBe('index_scoped_api_key_with_global_action')
    const as = async (key: string, method: string, path: string) => {
      const headers = { authorization: `Bearer ${key}` }
      const answer = await fetch(`${meilisearch.url}${path}`, { method, headers })
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
    }
    expect(await as(ours.key, 'POST', '/snapshots')).toMatchObject({ status: 202 })
    expect(await as(ours.key, 'GET', '/tasks')).toMatchObject({ body: { total: 1 } })
    expect(await as(ours.key, 'GET', '/version')).toMatchObject({ status: 403 })
    // A key for one index is blind to snapshots.
    expect(await as(narrow.key, 'GET', '/tasks')).toMatchObject({
      status: 200,
      body: { results: [] },
    })
    expect(await as(narrow.key, 'GET', '/tasks/0')).toMatchObject({ status: 404 })
  })

  test('documents are added, replaced, merged, found and deleted', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a')
    const books = '/indexes/books/documents'
    const added = [0, 1, 2].map((id) => ({ id, title: `river ${id}`, year: 2000 }))
    const first = await write(meilisearch, 'POST', books, added)
    await write(meilisearch, 'POST', books, [{ id: 1, title: 'lake' }])
    await write(meilisearch, 'PUT', books, [{ id: 2, title: 'sea' }])
    await write(meilisearch, 'DELETE', `${books}/0`)
    await idle(meilisearch)
    expect(await ended(meilisearch, first)).toMatchObject({
      status: 'succeeded',
      type: 'documentAdditionOrUpdate',
      indexUid: 'books',
      details: { receivedDocuments: 3, indexedDocuments: 3 },
      error: null,
    })
    expect(await idsOf(meilisearch, 'books')).toEqual([1, 2])
    expect((await meilisearch.call('GET', `${books}/1`)).body).toEqual({ id: 1, title: 'lake' })
    expect((await meilisearch.call('GET', `${books}/2`)).body).toEqual({
      id: 2,
      title: 'sea',
      year: 2000,
    })
    const page = await meilisearch.call('GET', `${books}?limit=1&offset=1`)
    expect(page.body).toMatchObject({ offset: 1, limit: 1, total: 2 })
    const found = await meilisearch.call('POST', '/indexes/books/search', { q: 'lake', limit: 5 })
    expect(found.body).toMatchObject({
      hits: [{ id: 1, title: 'lake' }],
      query: 'lake',
      limit: 5,
      offset: 0,
      estimatedTotalHits: 1,
    })
    const stats = await meilisearch.call('GET', '/stats')
    expect(stats.body).toMatchObject({
      indexes: { books: { numberOfDocuments: 2, isIndexing: false } },
    })
    expect((await meilisearch.call('GET', `${books}/0`)).status).toBe(404)
    expect((await meilisearch.call('GET', '/indexes/none')).body).toEqual(
      fixture('http-404-index.json').body,
    )
  })

  test('tasks are listed newest first, page by page, and filtered', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a')
    for (const id of range(0, 5)) {
      await write(meilisearch, 'POST', `/indexes/i${id % 2}/documents?customMetadata=m${id}`, [
        { id },
      ])
    }
    await write(meilisearch, 'POST', '/snapshots')
    await idle(meilisearch)
    const uids = async (query: string) => {
      const { body } = await meilisearch.call('GET', `/tasks?${query}`)
      const { results, total, from, next } = body as Record<string, never> & {
        results: { uid: number }[]
      }
      return { uids: results.map((task) => task.uid), total, from, next }
    }
    expect(await uids('limit=2')).toEqual({ uids: [5, 4], total: 6, from: 5, next: 3 })
    expect(await uids('limit=9&from=3')).toMatchObject({ uids: [3, 2, 1, 0], next: null })
    expect(await uids('types=snapshotCreation')).toMatchObject({ uids: [5], total: 1 })
    expect(await uids('types=snapshotCreation&statuses=failed')).toMatchObject({ uids: [] })
    expect(await uids('uids=1,4')).toMatchObject({ uids: [4, 1] })
    expect(await uids('indexUids=i1')).toMatchObject({ uids: [3, 1] })
    expect((await meilisearch.call('GET', '/tasks/2')).body).toMatchObject({ customMetadata: 'm2' })
  })

  test('what it refuses, it refuses with the same status and code', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a')
    const refusals = [
      ['GET', '/tasks/999', 404, 'task_not_found'],
      ['GET', '/tasks/abc', 400, 'invalid_task_uids'],
      ['GET', '/tasks?limit=x', 400, 'invalid_task_limit'],
      ['GET', '/tasks?types=bogus', 400, 'invalid_task_types'],
      ['GET', '/tasks?statuses=bogus', 400, 'invalid_task_statuses'],
      ['GET', '/tasks?bogus=1', 400, 'bad_request'],
      ['GET', '/indexes/none/documents', 404, 'index_not_found'],
      ['POST', '/indexes/b%20x/documents', 400, 'invalid_index_uid'],
      ['GET', '/nowhere', 404, undefined],
      ['PUT', '/snapshots', 405, undefined],
    ] as const
    for (const [method, path, status, code] of refusals) {
      const answer = await meilisearch.call(method, path, method === 'POST' ? [] : undefined)
      const said = { path, status: answer.status, code: (answer.body as { code?: string })?.code }
      expect(said).toEqual({ path, status, code })
    }
  })

  test('a document without an id fails its task, not the request', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a')
    const uid = await write(meilisearch, 'POST', '/indexes/books/documents', [{ title: 'x' }])
    expect(await ended(meilisearch, uid)).toMatchObject({
      status: 'failed',
      error: { code: 'index_primary_key_no_candidate_found' },
    })
  })

  test('indexes are created, changed and deleted by tasks', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a')
    await ended(
      meilisearch,
      await write(meilisearch, 'POST', '/indexes', { uid: 'b', primaryKey: 'k' }),
    )
    const settings = { searchableAttributes: ['title'] }
    await ended(meilisearch, await write(meilisearch, 'PATCH', '/indexes/b/settings', settings))
    expect((await meilisearch.call('GET', '/indexes/b/settings')).body).toMatchObject(settings)
    expect((await meilisearch.call('GET', '/indexes')).body).toMatchObject({
      results: [{ uid: 'b', primaryKey: 'k' }],
      total: 1,
    })
    const again = await write(meilisearch, 'POST', '/indexes', { uid: 'b' })
    expect(await ended(meilisearch, again)).toMatchObject({
      error: { code: 'index_already_exists' },
    })
    await ended(meilisearch, await write(meilisearch, 'DELETE', '/indexes/b'))
    expect((await meilisearch.call('GET', '/indexes/b')).status).toBe(404)
  })
})

describe(`what it acknowledged (${which()})`, () => {
  test('survives kill -9', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a')
    const acknowledged: number[] = []
    const writers = range(0, 4).map(async (writer) => {
      for (const round of range(0, 100)) {
        const id = writer * 1000 + round
        await write(meilisearch, 'POST', '/indexes/books/documents', [{ id }])
        acknowledged.push(id)
      }
    })
    const killed = Promise.all(writers).catch(() => {})
    while (acknowledged.length < 40) await new Promise((resolve) => setImmediate(resolve))
    await meilisearch.kill('SIGKILL')
    await killed
    const again = await box.start('a')
    await idle(again)
    const ids = new Set(await idsOf(again, 'books'))
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([])
    expect(existsSync(`${box.dir}/a.ms/VERSION`)).toBe(true)
  })
})
