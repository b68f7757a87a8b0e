import { mkdtemp, rm, stat, symlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { REAL_CLOCK } from '@meili-ha/core/store/deadline.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { storeLease } from '@meili-ha/lease-keeper/lease/open-store-lease.ts'
import { expect, test } from 'vitest'
import { tempDir } from '../harness/temp-dir.ts'
import { HELD } from './held.ts'

/** Memory-backed on Linux: another file system than that of temporary files. */
const ELSEWHERE = '/dev/shm'

const lost = (await stat(ELSEWHERE).catch(() => undefined))?.dev
const here = (await stat('/tmp').catch(() => undefined))?.dev
const same = lost === undefined || lost === here
if (same) console.warn(`SKIPPED: ${ELSEWHERE} is no file system of its own`)

test.skipIf(same)(
  'a holder whose mount is lost makes no lease in the empty directory',
  async () => {
    await using dir = await tempDir()
    const shared = await mkdtemp(join(ELSEWHERE, 'meili-ha-test-'))
    const mount = join(dir.path, 'mount')
    try {
      await symlink(shared, mount)
      const store = openStore(`file://${mount}/store`)
      const lease = storeLease(store, { timeoutMs: 5000, clock: REAL_CLOCK })
      await lease.create(HELD)
      await lease.read()
      // Emptied by hand it is still the same: the holder may make the record again.
      await rm(join(shared, 'store'), { recursive: true })
      const { version } = await lease.create(HELD)
      await lease.update({ ...HELD, renewals: 42 }, version)
      await lease.read()

      await unlink(mount)
      await symlink(dir.path, mount)
      expect(await lease.read()).toBeUndefined()
      await expect(lease.create(HELD)).rejects.toMatchObject({
        failure: 'unknown',
        message: expect.stringContaining('is it mounted?'),
      })
      await expect(stat(join(dir.path, 'store'))).rejects.toThrow('ENOENT')
    } finally {
      await rm(shared, { recursive: true })
    }
  },
)
