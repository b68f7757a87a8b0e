import { copyFile, mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { freePort } from '../harness/free-port.ts'
import { startMeilisearch } from '../harness/meilisearch.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { environmentOf, storeOn } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { eventsOf, FIXTURES, manifestsIn, runUploader, uploader } from './programs.ts'

const MASTER_KEY = 'test-master-key-0123456789'

/** Puts a snapshot where Meilisearch would, and as it does. */
async function place(fixture: string, snapshots: string): Promise<void> {
  await mkdir(snapshots, { recursive: true })
  await copyFile(join(FIXTURES, fixture), join(snapshots, '.tmpAAAAAA'))
  await rename(join(snapshots, '.tmpAAAAAA'), join(snapshots, 'data.ms.snapshot'))
}

describe('uploader run', () => {
  test('publishes what Meilisearch snapshots, with the task mark and the annotation', async () => {
    await using dir = await tempDir()
    await using meilisearch = await startMeilisearch({
      dbPath: join(dir.path, 'data.ms'),
      snapshotDir: join(dir.path, 'snapshots'),
      masterKey: MASTER_KEY,
    })
    const url = `file://${dir.path}/store`
    const listen = `127.0.0.1:${await freePort()}`
    await using child = uploader(
      [
        ...['run', '--store', url, '--data-dir', dir.path, '--meili-url', meilisearch.url],
        ...['--every', '1s', '--max-duty', '100%', '--annotate-command', 'echo offset 42'],
        ...['--member', 'a', '--listen', listen],
      ],
      { MEILI_HA_API_KEY: MASTER_KEY },
    )
    await meilisearch.call('POST', '/indexes/books/documents', [{ id: 1, title: 'x' }])
    const store = openStore(url)
    const [manifest] = await until('a snapshot is published', async () => {
      const found = await manifestsIn(store)
      return found.length > 0 && found
    })
    expect(manifest).toMatchObject({ writer: 'a', annotations: 'offset 42', epoch: 0 })
    expect(manifest?.tasks.lastTaskUid).toBe((manifest?.tasks.snapshotTaskUid ?? 0) - 1)
    expect(Date.parse(manifest?.tasks.snapshotStartedAt ?? '')).toBeGreaterThan(0)
    await until('no change waits any more', async () => {
      const metrics = await (await fetch(`http://${listen}/metrics`)).text()
      return metrics.includes('meili_ha_uploader_changes_waiting_since_timestamp_seconds 0\n')
    })
    await child.kill('SIGTERM')
    expect(await child.exited).toEqual({ code: 0, signal: null })
    expect(child.output()).not.toContain(MASTER_KEY)
  })

  test('waits for a directory that is not there yet, publishes each file once, across restarts', async () => {
    await using dir = await tempDir()
    const url = `file://${dir.path}/store`
    const store = openStore(url)
    const args = ['run', '--store', url, '--data-dir', join(dir.path, 'm'), '--listen', 'off']
    const nobody = { MEILI_HA_MEILI_URL: 'http://127.0.0.1:9' }
    {
      await using child = uploader(args, nobody)
      await until('it waits', () => eventsOf(child).some(({ event }) => event === 'watch.waiting'))
      await place('catalogue.snapshot', join(dir.path, 'm/snapshots'))
      await until('it is published', async () => (await manifestsIn(store)).length === 1)
      await place('backlog.snapshot', join(dir.path, 'm/snapshots'))
      await until('the next is published', async () => (await manifestsIn(store)).length === 2)
    }
    await using again = uploader(args, nobody)
    await until('it knows the file', () =>
      eventsOf(again).some(({ event }) => event === 'snapshot.already'),
    )
    expect(await manifestsIn(store)).toHaveLength(2)
  })

  test('one that is killed in the middle is resumed: only missing parts are sent again', async () => {
    await using dir = await tempDir()
    await using server = await startS3Server()
    const { bigSnapshot } = await import('../generate/big-snapshot.ts')
    await mkdir(join(dir.path, 'snapshots'))
    await bigSnapshot(join(dir.path, 'snapshots/data.ms.snapshot'), 40_000_000)
    const args = ['run', '--store', 's3://test-bucket/x', '--data-dir', dir.path, '--listen', 'off']
    const env = { ...environmentOf(server), MEILI_HA_MEILI_URL: 'http://127.0.0.1:9' }
    // The third part hangs, so that the kill surely comes in the middle.
    server.faults.add({ kind: 'hang' }, { op: 'UploadPart', after: 2, times: 10 })
    {
      await using child = uploader(args, env)
      await until('two parts are there', () => server.count('UploadPart') >= 4)
      await child.kill('SIGKILL')
      await child.exited
    }
    server.faults.clear()
    const before = server.requests.filter(({ op, status }) => op === 'UploadPart' && status === 200)
    await using child = uploader(args, env)
    const store = storeOn(server, { prefix: 'x' })
    await until('it is published', async () => (await manifestsIn(store)).length === 1)
    const all = server.requests.filter(({ op, status }) => op === 'UploadPart' && status === 200)
    expect(before.length).toBeGreaterThan(0)
    expect(all).toHaveLength(5)
    expect(eventsOf(child).filter(({ event }) => event === 'upload.started')).toHaveLength(1)
  })

  test('a store that is down for a while costs nothing but time', async () => {
    await using dir = await tempDir()
    await using server = await startS3Server()
    await place('catalogue.snapshot', join(dir.path, 'snapshots'))
    server.faults.add({ kind: 'status', status: 403, code: 'AccessDenied' }, { op: 'PutObject' })
    await using child = uploader(
      ['run', '--store', 's3://test-bucket/x', '--data-dir', dir.path, '--listen', 'off'],
      { ...environmentOf(server), MEILI_HA_MEILI_URL: 'http://127.0.0.1:9' },
    )
    await until('it failed once', () =>
      eventsOf(child).some(({ event }) => event === 'snapshot.failed'),
    )
    const store = storeOn(server, { prefix: 'x' })
    await until('it is published after all', async () => (await manifestsIn(store)).length === 1)
  })

  test('an annotation is kept for the snapshot whose upload had to be tried again', async () => {
    await using dir = await tempDir()
    await using server = await startS3Server()
    await using meilisearch = await startMeilisearch({
      dbPath: join(dir.path, 'data.ms'),
      snapshotDir: join(dir.path, 'snapshots'),
    })
    server.faults.add(
      { kind: 'status', status: 403, code: 'AccessDenied' },
      { op: 'PutObject', key: /\.snapshot$/ },
    )
    await using child = uploader(
      [
        ...['run', '--store', 's3://test-bucket/x', '--data-dir', dir.path, '--listen', 'off'],
        ...[
          '--meili-url',
          meilisearch.url,
          '--every',
          '1h',
          '--annotate-command',
          'echo offset 42',
        ],
      ],
      environmentOf(server),
    )
    await meilisearch.call('POST', '/indexes/books/documents', [{ id: 1 }])
    const store = storeOn(server, { prefix: 'x' })
    const [manifest] = await until('it is published', async () => {
      const found = await manifestsIn(store)
      return found.length > 0 && found
    })
    expect(eventsOf(child).some(({ event }) => event === 'snapshot.failed')).toBe(true)
    expect(manifest?.annotations).toBe('offset 42')
  })

  test('refuses, and says so, when another member writes to the same place', async () => {
    await using dir = await tempDir()
    const url = `file://${dir.path}/store`
    const port = await freePort()
    await mkdir(join(dir.path, 'snapshots'))
    await using child = uploader(
      [
        ...['run', '--store', url, '--data-dir', dir.path, '--member', 'a'],
        ...['--listen', `127.0.0.1:${port}`],
      ],
      { MEILI_HA_MEILI_URL: 'http://127.0.0.1:9' },
    )
    await until('it watches', () => eventsOf(child).some(({ event }) => event === 'watch.started'))
    await runUploader([
      'publish',
      join(FIXTURES, 'empty.snapshot'),
      '--store',
      url,
      '--member',
      'b',
    ])
    await place('catalogue.snapshot', join(dir.path, 'snapshots'))
    await until('it refuses', () =>
      eventsOf(child).some(({ code }) => code === 'MEILI_HA_SECOND_WRITER'),
    )
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`)
    expect(ready.status).toBe(503)
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(metrics).toContain('meili_ha_uploader_refusing 1')
    expect((await manifestsIn(openStore(url))).map(({ writer }) => writer)).toEqual(['b'])
  })

  test('refuses a file once, says why, and publishes the next', async () => {
    await using dir = await tempDir()
    const url = `file://${dir.path}/store`
    await place('errors.txt', join(dir.path, 'snapshots'))
    await using child = uploader(
      ['run', '--store', url, '--data-dir', dir.path, '--listen', 'off'],
      { MEILI_HA_MEILI_URL: 'http://127.0.0.1:9' },
    )
    const refusals = () => eventsOf(child).filter(({ event }) => event === 'snapshot.refused')
    await until('it refuses', () => refusals().length > 0)
    await place('catalogue.snapshot', join(dir.path, 'snapshots'))
    await until('the next is published', async () => (await manifestsIn(openStore(url))).length > 0)
    expect(refusals()).toHaveLength(1)
  })
})

describe('uploader snapshot', () => {
  test('asks for one and returns when it is published', async () => {
    await using dir = await tempDir()
    await using meilisearch = await startMeilisearch({
      dbPath: join(dir.path, 'data.ms'),
      snapshotDir: join(dir.path, 'snapshots'),
    })
    const url = `file://${dir.path}/store`
    const flags = ['--store', url, '--data-dir', dir.path, '--meili-url', meilisearch.url]
    const { code, stdout } = await runUploader(['snapshot', ...flags, '--listen', 'off'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '0000000000-0000000001\n' })
  })

  test('leaves the publishing to a run that is there, so that nothing is published twice', async () => {
    await using dir = await tempDir()
    await using meilisearch = await startMeilisearch({
      dbPath: join(dir.path, 'data.ms'),
      snapshotDir: join(dir.path, 'snapshots'),
    })
    const url = `file://${dir.path}/store`
    const listen = `127.0.0.1:${await freePort()}`
    const flags = ['--store', url, '--data-dir', dir.path, '--meili-url', meilisearch.url]
    await using child = uploader(['run', ...flags, '--listen', listen])
    await until('it runs', () => eventsOf(child).some(({ event }) => event === 'uploader.started'))
    const { code } = await runUploader(['snapshot', ...flags, '--listen', listen])
    expect(code).toBe(0)
    expect(await manifestsIn(openStore(url))).toHaveLength(1)
  })

  test('returns to each of several who asked at once, though they share one snapshot', async () => {
    await using dir = await tempDir()
    await using meilisearch = await startMeilisearch({
      dbPath: join(dir.path, 'data.ms'),
      snapshotDir: join(dir.path, 'snapshots'),
      // Those that are asked for while this one is made become one.
      env: { STAND_IN_SNAPSHOT_MS: '4000' },
    })
    const url = `file://${dir.path}/store`
    const listen = `127.0.0.1:${await freePort()}`
    const flags = ['--store', url, '--data-dir', dir.path, '--meili-url', meilisearch.url]
    await using child = uploader(['run', ...flags, '--listen', listen])
    await until('it runs', () => eventsOf(child).some(({ event }) => event === 'uploader.started'))
    await meilisearch.call('POST', '/snapshots')
    const both = await Promise.all(
      [1, 2].map(() => runUploader(['snapshot', ...flags, '--listen', listen])),
    )
    expect(both.map(({ code }) => code)).toEqual([0, 0])
  })

  test('names the Enterprise-only settings that make every snapshot fail', async () => {
    await using dir = await tempDir()
    await using meilisearch = await startMeilisearch({
      dbPath: join(dir.path, 'data.ms'),
      snapshotDir: join(dir.path, 'snapshots'),
      env: {
        MEILI_S3_BUCKET_URL: 'http://127.0.0.1:9',
        MEILI_S3_BUCKET_REGION: 'us-east-1',
        MEILI_S3_BUCKET_NAME: 'x',
        MEILI_S3_SNAPSHOT_PREFIX: 'x',
        MEILI_S3_ACCESS_KEY: 'x',
        MEILI_S3_SECRET_KEY: 'x',
      },
    })
    const url = `file://${dir.path}/store`
    const flags = ['--store', url, '--data-dir', dir.path, '--meili-url', meilisearch.url]
    const { code, stderr } = await runUploader(['snapshot', ...flags, '--listen', 'off'])
    expect(code).toBe(20)
    expect(stderr).toContain('MEILI_HA_MEILI_ENTERPRISE')
  })
})
