import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { assertNotOpen } from './open-by.ts'
import { dataPaths, type DataPaths } from './paths.ts'
import { swapIn } from './swap.ts'
import { withFileLock } from '../store/file-lock.ts'
import { REAL_CLOCK } from '../store/deadline.ts'

let paths: DataPaths
let lockFile: string
beforeEach(async () => {
  paths = dataPaths(await mkdtemp(join(tmpdir(), 'open-by-')), {})
  await mkdir(join(paths.live, 'tasks'), { recursive: true })
  lockFile = join(paths.live, 'tasks', 'lock.mdb')
  await writeFile(lockFile, '')
})
afterEach(() => rm(paths.parent, { recursive: true }))

/** Any of the kernel's locks on the file will do: SQLite takes one where LMDB does. */
const whileOpen = (act: () => Promise<void>) =>
  withFileLock(lockFile, { timeoutMs: 0, clock: REAL_CLOCK, signal: undefined }, act)

describe('a data directory on which Meilisearch runs', () => {
  test('is seen by the lock that it holds, and named with its process', async () => {
    await assertNotOpen(paths.live)
    await whileOpen(() =>
      expect(assertNotOpen(paths.live)).rejects.toMatchObject({
        code: 'MEILI_HA_DATA_DIR_IN_USE',
        message: `Meilisearch (process ${process.pid}) runs on ${paths.live}`,
      }),
    )
    await assertNotOpen(paths.live)
  })

  test('is never moved away', async () => {
    await mkdir(paths.next)
    await whileOpen(() =>
      expect(swapIn(paths, paths.replaced)).rejects.toMatchObject({
        code: 'MEILI_HA_DATA_DIR_IN_USE',
      }),
    )
    expect((await stat(lockFile)).isFile()).toBe(true)
  })
})

test('a lock on another file, or on a file of that number elsewhere, is none', async () => {
  const { ino } = await stat(lockFile)
  const locks = [
    `1: POSIX  ADVISORY  READ 4711 00:00:${ino} 0 0`,
    '2: POSIX  ADVISORY  READ 4711 fe:00:1 0 0',
    'x',
  ]
  await assertNotOpen(paths.live, () => Promise.resolve(locks.join('\n')))
})
