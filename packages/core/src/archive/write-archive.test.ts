import { execFileSync } from 'node:child_process'
import {
  appendFile,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inPieces } from './tarball.fixture.ts'
import { unpackSnapshot } from './unpack-snapshot.ts'
import { verifySnapshot } from './verify-snapshot.ts'
import { archiveDirectory } from './write-archive.ts'

const CATALOGUE = join(import.meta.dirname, '../../../../test/fixtures/catalogue.snapshot')

let root: string
let dataMs: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'archive-'))
  dataMs = join(root, 'data.ms')
  await mkdir(dataMs)
  execFileSync('tar', ['-C', dataMs, '-xzf', CATALOGUE])
  await rm(join(dataMs, 'tasks/lock.mdb'))
})
afterEach(() => rm(root, { recursive: true }))

async function overwrite(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  await handle.write('other')
  await handle.close()
}

const listing = (directory: string) =>
  execFileSync('diff', ['-r', dataMs, directory], { encoding: 'utf8' })

describe('the archive of a stopped directory', () => {
  test.each([0, 1])(
    'at level %i is the directory again: by our reader and by tar',
    async (level) => {
      await writeFile(join(root, 'archive'), archiveDirectory(dataMs, { level }))
      await mkdir(join(root, 'theirs'))
      execFileSync('tar', ['-C', join(root, 'theirs'), '-xzf', join(root, 'archive')])
      expect(listing(join(root, 'theirs'))).toBe('')
      const report = await unpackSnapshot(
        inPieces(await readFile(join(root, 'archive'))),
        join(root, 'ours'),
      )
      expect(listing(join(root, 'ours'))).toBe('')
      expect(report).toMatchObject({ version: '1.50.0', entries: 13, indexes: 3 })
    },
  )

  test('looks as one of Meilisearch: the root first, then names without dots', async () => {
    const tar = gunzipSync(await buffer(archiveDirectory(dataMs)))
    const names = execFileSync('tar', ['-tf', '-'], { input: tar }).toString().trim().split('\n')
    expect(names[0]).toBe('./')
    expect(names[1]).toBe('VERSION')
    expect(names.slice(1).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('leaves lineage and locks behind', async () => {
    const report = await verifySnapshot(archiveDirectory(dataMs))
    await writeFile(join(dataMs, 'meili-ha.json'), '{}')
    await writeFile(join(dataMs, 'auth/lock.mdb'), 'lock')
    expect(await verifySnapshot(archiveDirectory(dataMs))).toEqual(report)
  })

  test('ends a database that is mostly one endless hole where its last page ends', async () => {
    const report = await verifySnapshot(archiveDirectory(dataMs))
    const { size } = await stat(join(dataMs, 'tasks/data.mdb'))
    await truncate(join(dataMs, 'tasks/data.mdb'), 2 ** 40)
    expect(await verifySnapshot(archiveDirectory(dataMs))).toEqual(report)
    await unpackSnapshot(archiveDirectory(dataMs), join(root, 'ours'))
    await truncate(join(dataMs, 'tasks/data.mdb'), size)
    expect(listing(join(root, 'ours'))).toBe('')
  })

  test('fails on a directory that is no whole database', async () => {
    await rm(join(dataMs, 'auth/data.mdb'))
    await expect(buffer(archiveDirectory(dataMs))).rejects.toMatchObject({
      code: 'MEILI_HA_SNAPSHOT_FOREIGN',
    })
  })

  test('fails on a link', async () => {
    await symlink('/etc/passwd', join(dataMs, 'link'))
    await expect(buffer(archiveDirectory(dataMs))).rejects.toMatchObject({
      code: 'MEILI_HA_SNAPSHOT_UNSAFE',
    })
  })

  test.each([
    ['grows', (path: string) => appendFile(path, 'more')],
    ['shrinks', (path: string) => truncate(path, 5_000_000)],
    ['is written to', (path: string) => overwrite(path)],
  ])('fails when a file %s while it is read', async (_, change) => {
    const large = join(dataMs, 'tasks/data.mdb')
    await writeFile(large, Buffer.alloc(20_000_000, 'x'))
    const archive = archiveDirectory(dataMs)
    let size = 0
    const read = async () => {
      for await (const piece of archive) {
        size += (piece as Buffer).length
        // Its turn comes after the indexes; backpressure keeps it from being read to its end.
        if (size > 8_000_000 && size < 9_000_000) await change(large)
      }
    }
    await expect(read()).rejects.toMatchObject({ code: 'MEILI_HA_SNAPSHOT_DAMAGED' })
  })

  test('stops with CANCELLED', async () => {
    await expect(
      buffer(archiveDirectory(dataMs, { signal: AbortSignal.abort() })),
    ).rejects.toMatchObject({ code: 'MEILI_HA_CANCELLED' })
  })
})
