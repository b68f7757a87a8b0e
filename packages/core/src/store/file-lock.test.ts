import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { REAL_CLOCK } from './deadline.ts'
import { withFileLock } from './file-lock.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lock-'))
})
afterEach(() => rm(directory, { recursive: true }))

const options = { timeoutMs: 0, clock: REAL_CLOCK, signal: undefined }

test('a lock writes nothing to the disk, which may be full', async () => {
  const path = join(directory, 'lock')
  await withFileLock(path, options, async () => {
    expect(await readdir(directory)).toEqual(['lock'])
    await expect(withFileLock(path, options, () => Promise.resolve())).rejects.toMatchObject({
      code: 'MEILI_HA_STORE_UNREACHABLE',
    })
  })
})
