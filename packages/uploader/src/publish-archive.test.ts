import { Readable } from 'node:stream'
import { join } from 'node:path'
import { readdir, readlink, rm } from 'node:fs/promises'
import { expect, test, vi } from 'vitest'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { makeDatabase } from './lease/member.fixture.ts'
import { archiveInto } from './publish-archive.ts'
import { tempDir } from './temp-dir.fixture.ts'

const KEY = 'snapshots/0000000001-0000000001-20261123T080000Z.snapshot'
const OPTIONS = { level: 0, signal: new AbortController().signal, onProgress: () => {} }

test('a store that fails in the middle fails the archive, and no file of it stays open', async () => {
  await using dir = await tempDir()
  await makeDatabase(dir.path, 30_000_000)
  for (const after of [0, 1, 5]) {
    const putStream = async (_key: string, stream: Readable) => {
      let chunks = 0
      for await (const _ of stream) if (chunks++ >= after) break
      throw new Error('the store is full')
    }
    const store = { putStream } as unknown as Store
    await expect(archiveInto(store, KEY, dir.path, OPTIONS)).rejects.toThrow('the store is full')
  }
  await vi.waitFor(async () => expect(await openFilesBelow(dir.path)).toEqual([]))
})

test('what is no whole database is not archived', async () => {
  await using dir = await tempDir()
  await makeDatabase(join(dir.path, 'data.ms'))
  await rm(join(dir.path, 'data.ms/VERSION'))
  const store = openStore(`file://${dir.path}/store`)
  await expect(archiveInto(store, KEY, join(dir.path, 'data.ms'), OPTIONS)).rejects.toMatchObject({
    code: 'MEILI_HA_SNAPSHOT_FOREIGN',
  })
  expect(await store.list('')).toEqual([])
  expect(await store.listUploads('')).toEqual([])
})

test('an archive that is told to stop ends, and leaves nothing', async () => {
  await using dir = await tempDir()
  await makeDatabase(join(dir.path, 'data.ms'), 30_000_000)
  const store = openStore(`file://${dir.path}/store`)
  const stop = new AbortController()
  const onProgress = () => stop.abort()
  const options = { level: 0, signal: stop.signal, onProgress }
  await expect(archiveInto(store, KEY, join(dir.path, 'data.ms'), options)).rejects.toMatchObject({
    code: 'MEILI_HA_CANCELLED',
  })
  expect(await store.list('')).toEqual([])
})

async function openFilesBelow(directory: string): Promise<string[]> {
  const links = await readdir('/proc/self/fd')
  const paths = await Promise.all(
    links.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')),
  )
  return paths.filter((path) => path.startsWith(directory))
}
