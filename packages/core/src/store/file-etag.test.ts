import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { etagOf, stampVersion } from './file-etag.ts'

describe('the ETag of a file', () => {
  it('differs between writes of one size, in one tick, into one inode', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'meili-ha-etag-'))
    const seen = new Set<string>()
    // 200 draws from 4 million: two alike in 1 of 200 runs, so one pair is forgiven.
    const writes = 200
    const file = await open(join(directory, 'file'), 'w')
    for (let i = 0; i < writes; i++) {
      await stampVersion(file, 1_700_000_000_000, Math.random)
      seen.add(etagOf(await file.stat({ bigint: true })))
    }
    await file.close()
    await rm(directory, { recursive: true })
    expect(seen.size).toBeGreaterThanOrEqual(writes - 1)
  })
})
