import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readLineage } from '@meili-ha/core/data-dir/lineage.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { environmentOf, storeOn } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import type { Fault } from '../s3-server/faults.ts'
import { FIXTURES } from '../uploader/programs.ts'
import { runFetcher } from './in-place.ts'
import { publish } from './publish.ts'
import { treeOf, treeOfSnapshot } from './tree.ts'

const CATALOGUE = join(FIXTURES, 'catalogue.snapshot')
const BACKLOG = join(FIXTURES, 'backlog.snapshot')

test.each<[string, Fault, number]>([
  ['answers 503 for a while', { kind: 'status', status: 503, code: 'SlowDown' }, 2],
  ['resets connections', { kind: 'reset' }, 2],
  ['ends a body short', { kind: 'short-body' }, 1],
  ['flips a bit on the way', { kind: 'flip-answer' }, 1],
])('a store that %s still gives the newest snapshot, whole', async (_, fault, times) => {
  await using server = await startS3Server()
  await using dir = await tempDir()
  const store = storeOn(server)
  await publish(store, BACKLOG, { seq: 1 })
  await publish(store, CATALOGUE, { seq: 2 })
  server.faults.add(fault, { op: 'GetObject', key: /\.snapshot$/, times })
  const { code, stderr } = await runFetcher(
    ['restore', '--store', store.url, '--data-dir', dir.path, '--log-level', 'error'],
    environmentOf(server),
  )
  expect(code, stderr).toBe(0)
  const live = join(dir.path, 'data.ms')
  expect((await readLineage(live))?.snapshotId).toBe('0000000000-0000000002')
  expect(await treeOf(live)).toEqual(await treeOfSnapshot(CATALOGUE))
})

test('a store that denies everything is named, and changes nothing that is there', async () => {
  await using server = await startS3Server()
  await using dir = await tempDir()
  const store = storeOn(server)
  await publish(store, CATALOGUE, { seq: 1 })
  const args = ['restore', '--store', store.url, '--data-dir', dir.path, '--log-level', 'silent']
  const deny = () => {
    const fault = { kind: 'status', status: 403, code: 'AccessDenied' } as const
    server.faults.add(fault, { times: 1 })
  }
  deny()
  const absent = await runFetcher(args, environmentOf(server))
  expect(absent.code).toBe(10)
  expect(absent.stderr).toContain('AccessDenied')
  expect(await runFetcher(args, environmentOf(server))).toMatchObject({ code: 0 })
  deny()
  expect(await runFetcher(args, environmentOf(server))).toMatchObject({ code: 0 })
  expect(await treeOf(join(dir.path, 'data.ms'))).toEqual(await treeOfSnapshot(CATALOGUE))
})
