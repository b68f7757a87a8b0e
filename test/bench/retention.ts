import { copyFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { formatId, manifestKey, tarballKey } from '@meili-ha/core/catalog/names.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { publish } from '../fetcher/publish.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server, type S3Server } from '../s3-server/s3-server.ts'
import { FIXTURES } from '../uploader/programs.ts'
import type { Bench } from './bench.ts'
import { costOf } from './columns.ts'
import { addGrowth, growthColumn } from './growth.ts'
import { measure } from './measure.ts'
import type { Recorder } from './recorder.ts'
import type { Column, Scenario } from './scenario.ts'

const COUNTS = [10, 100, 1000]
const WALL: Column = { name: 'wall', unit: 's', digits: 2, spread: true }
const REQUESTS: Column = { name: 'requests', unit: '', digits: 0 }
const WALL_GROWTH = growthColumn(WALL, 'of that with 10')
const REQUESTS_GROWTH = growthColumn(REQUESTS, 'of those with 10')
const RESTORE = 'fetcher restore'
const PUBLISH = 'uploader publish'
const POLL = 'a poll of fetcher follow'
const LARGEST = '1000 manifests'

export const retention: Scenario = {
  name: 'retention',
  sentence: 'what it costs that the store holds 10, 100 or 1,000 snapshots, of 2 KiB each',
  columns: [
    ...[WALL, REQUESTS],
    { name: 'peak memory', unit: 'MiB', digits: 0, of: 'highest' },
    ...[WALL_GROWTH, REQUESTS_GROWTH],
  ],
  goals: [
    ...[RESTORE, PUBLISH, POLL].map((how) => ({
      ...{ column: WALL_GROWTH.name, how, what: LARGEST, most: 1.2 },
    })),
    // A list tells 1,000 keys at once: a thousand snapshots and their manifests take two lists more.
    ...[RESTORE, PUBLISH].map((how) => ({
      ...{ column: REQUESTS_GROWTH.name, how, what: LARGEST, most: 1.5 },
    })),
  ],
  run: async (bench, record) => {
    const counts = bench.quick ? COUNTS.slice(0, 2) : COUNTS
    for (const count of counts) await withManifests(bench, record, count)
    addGrowth(record.rows, WALL, WALL_GROWTH)
    addGrowth(record.rows, REQUESTS, REQUESTS_GROWTH)
  },
}

async function withManifests(bench: Bench, record: Recorder, count: number): Promise<void> {
  const directory = await bench.directory(`retention-${count}`)
  const what = `${count} manifests`
  await using server = await startS3Server()
  Object.assign(process.env, environmentOf(server))
  const store = openStore(`s3://${server.bucketName}/x`, { endpoint: server.endpoint })
  await publishMany(store, count)
  const flags = ['--store', store.url]
  const env = { ...process.env, ...environmentOf(server) }
  const node = process.execPath
  for (let run = 1; run <= bench.runs; run++) {
    const [out, file] = [join(directory, `${run}`), join(directory, `${run}.snapshot`)]
    // With a time of its own: the same file again would be published already.
    await copyFile(join(FIXTURES, 'empty.snapshot'), file)
    await utimes(file, run, run)
    const commands = {
      [RESTORE]: [node, bench.programs.fetcher, 'restore', '--to', out, ...flags] as const,
      [PUBLISH]: [
        ...([node, bench.programs.uploader, 'publish', file] as const),
        ...[...flags, '--member', 'm1'],
      ] as const,
    }
    for (const [how, command] of Object.entries(commands)) {
      await record.attempt({ what, how, ours: true }, async () => {
        server.requests.length = 0
        const { wall = 0, 'peak memory': peak = 0 } = costOf(await measure(command, env))
        return { wall, requests: server.requests.length, 'peak memory': peak }
      })
    }
    await record.attempt({ what, how: POLL, ours: true }, () => poll(store, server))
  }
  store.close()
}

/** What a follower asks every `--poll`, once it has read everything. */
async function poll(store: Store, server: S3Server) {
  const catalog = new CatalogReader(store)
  await catalog.read()
  server.requests.length = 0
  const began = performance.now()
  await catalog.read()
  return { wall: (performance.now() - began) / 1000, requests: server.requests.length }
}

/** One that is real, and copies of its tarball and manifest under other names. */
async function publishMany(store: Store, count: number): Promise<void> {
  const first = await publish(store, join(FIXTURES, 'empty.snapshot'), { seq: 1 })
  if (first.object === null) throw new Error('it has no tarball')
  const { body } = await store.get(first.object.key)
  for (let seq = 2; seq <= count; seq++) {
    const id = formatId({ epoch: 0, seq })
    const key = tarballKey(id, new Date(Date.UTC(2026, 10, 23, 8, seq)))
    const manifest: Manifest = { ...first, id, seq, object: { ...first.object, key } }
    await store.put(key, body)
    await store.put(manifestKey(id), JSON.stringify(manifest))
  }
}
