import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { apiKeySource } from '@meili-ha/core/meilisearch/api-key.ts'
import { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import { findForeignTask } from '@meili-ha/core/meilisearch/foreign-tasks.ts'
import { snapshotTaskOf } from '@meili-ha/core/meilisearch/snapshot-task.ts'
import { taskFailure } from '@meili-ha/core/meilisearch/task.ts'
import { which } from '../harness/meilisearch.ts'
import { until } from '../harness/until.ts'
import { ended, idle, MASTER_KEY, sandbox, snapshot, write } from './sandbox.ts'

const BOOKS = '/indexes/books/documents'

function clientOf(url: string, value: string | undefined = MASTER_KEY): MeilisearchClient {
  return new MeilisearchClient({ url, apiKey: apiKeySource({ value }), timeoutMs: 3000 })
}

describe(`the client and a running Meilisearch (${which()})`, () => {
  test('a snapshot that it asked for is found again by its file', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a')
    const client = clientOf(meilisearch.url)
    await client.health()
    expect(await client.version()).toMatch(/^\d+\.\d+\.\d+$/)
    expect(await client.newestTask()).toBeUndefined()
    await write(meilisearch, 'POST', BOOKS, [{ id: 1 }])
    const uid = await client.createSnapshot()
    await until('it is made', async () => (await client.task(uid)).status === 'succeeded')
    const { mtimeMs } = statSync(box.snapshotOf('a'))
    const tasks = await client.snapshotTasks({ statuses: ['succeeded'], limit: 1 })
    expect(snapshotTaskOf(tasks, mtimeMs)?.uid).toBe(uid)
    expect((await client.newestTask())?.uid).toBe(uid)
  })

  test('only a write makes a restored instance hold tasks of its own', async () => {
    await using box = await sandbox()
    const origin = await box.start('a')
    await write(origin, 'POST', BOOKS, [{ id: 1 }])
    await snapshot(origin)
    const restored = await box.start('b', {
      args: ['--import-snapshot', box.snapshotOf('a')],
      snapshotDir: join(box.dir, 'other'),
    })
    const client = clientOf(restored.url)
    const mark = (await client.newestTask())?.uid ?? -1
    await idle(restored)
    await snapshot(restored)
    expect(await findForeignTask(client, mark)).toBeUndefined()
    const foreign = await write(restored, 'DELETE', `${BOOKS}/1`)
    await snapshot(restored)
    expect((await findForeignTask(client, mark))?.uid).toBe(foreign)
  })

  test('a key that is missing, wrong or too weak is denied; a rotated one is picked up', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a')
    const denied = { code: 'MEILI_HA_MEILI_DENIED' }
    await expect(clientOf(meilisearch.url, '').newestTask()).rejects.toMatchObject({
      ...denied,
      remoteCode: 'missing_authorization_header',
    })
    const made = await meilisearch.call('POST', '/keys', {
      actions: ['tasks.get'],
      indexes: ['*'],
      expiresAt: null,
    })
    const file = join(box.dir, 'key')
    writeFileSync(file, (made.body as { key: string }).key)
    const client = new MeilisearchClient({ url: meilisearch.url, apiKey: apiKeySource({ file }) })
    expect(await client.newestTask()).toBeUndefined()
    await expect(client.createSnapshot()).rejects.toMatchObject({
      ...denied,
      remoteCode: 'invalid_api_key',
      message: expect.stringContaining('snapshots.create') as string,
    })
    writeFileSync(file, MASTER_KEY)
    expect(await client.createSnapshot()).toBe(0)
  })

  test('MEILI_S3_* settings are recognised by the task that they failed', async () => {
    await using box = await sandbox()
    const names = 'BUCKET_URL BUCKET_REGION BUCKET_NAME SNAPSHOT_PREFIX ACCESS_KEY SECRET_KEY'
    const env = Object.fromEntries(names.split(' ').map((name) => [`MEILI_S3_${name}`, 'http://x']))
    const meilisearch = await box.start('a', { env })
    const client = clientOf(meilisearch.url)
    const uid = await client.createSnapshot()
    await ended(meilisearch, uid)
    expect(taskFailure(await client.task(uid))).toMatchObject({ code: 'MEILI_HA_MEILI_ENTERPRISE' })
  })

  test('a frozen one is unreachable within the deadline, and back when it thaws', async () => {
    await using box = await sandbox()
    const meilisearch = await box.start('a')
    const { url } = meilisearch
    const client = new MeilisearchClient({ url, timeoutMs: 300 })
    await meilisearch.freeze()
    await expect(client.health()).rejects.toMatchObject({ code: 'MEILI_HA_MEILI_UNREACHABLE' })
    meilisearch.thaw()
    await until('it answers again', async () => client.health().then(() => true))
    await meilisearch.kill()
    await expect(client.health()).rejects.toThrow('ECONNREFUSED')
  })

  test('a task that is not there has its own code', async () => {
    await using box = await sandbox()
    const { url } = await box.start('a')
    await expect(clientOf(url).task(99)).rejects.toMatchObject({
      code: 'MEILI_HA_MEILI_FAILED',
      remoteCode: 'task_not_found',
    })
  })
})
