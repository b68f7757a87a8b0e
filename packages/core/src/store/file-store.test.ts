import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REAL_CLOCK } from './deadline.ts'
import { FileStore } from './file-store.ts'

describe('a directory as a store', () => {
  let directory: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'meili-ha-file-store-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('marks every write with a time of its own, since the ticks of the kernel repeat', async () => {
    const store = new FileStore(directory, { ...REAL_CLOCK, random: () => 0.25 })
    await store.put('a', 'a')
    expect((await stat(join(directory, 'a'))).mtimeMs % 1000).toBe(750)
    await store.put('b', 'b', { ifNoneMatch: '*' })
    expect((await stat(join(directory, 'b'))).mtimeMs % 1000).toBe(750)
  })

  it('makes nothing by being read', async () => {
    const root = join(directory, 'store')
    const store = new FileStore(root, REAL_CLOCK)
    expect(await store.list('')).toEqual([])
    expect(await store.head('a')).toBeUndefined()
    expect(await store.listUploads('')).toEqual([])
    await store.delete('a')
    expect(await readdir(directory)).toEqual([])
  })

  it('keeps objects as plain files under their keys', async () => {
    const store = new FileStore(directory, REAL_CLOCK)
    await store.put('snapshots/one.json', '{}')
    expect(await readdir(join(directory, 'snapshots'))).toEqual(['one.json'])
  })

  it('lists nothing that is no object', async () => {
    const store = new FileStore(directory, REAL_CLOCK)
    await mkdir(join(directory, 'empty'))
    await store.put('a', 'a')
    await writeFile(join(directory, '.meili-ha', 'uploads', 'not ours'), '')
    expect((await store.list('')).map(({ key }) => key)).toEqual(['a'])
    expect(await store.listUploads('')).toEqual([])
  })

  it('says what is wrong with the directory', async () => {
    await writeFile(join(directory, 'file'), '')
    const store = new FileStore(join(directory, 'file', 'store'), REAL_CLOCK)
    await expect(store.put('a', 'a')).rejects.toMatchObject({
      code: 'MEILI_HA_STORE_REFUSED',
      remoteCode: 'ENOTDIR',
    })
  })

  it('stops when it is told to', async () => {
    const store = new FileStore(directory, REAL_CLOCK)
    const signal = AbortSignal.abort()
    await expect(store.put('a', 'a', { signal })).rejects.toMatchObject({
      code: 'MEILI_HA_CANCELLED',
    })
  })
})
