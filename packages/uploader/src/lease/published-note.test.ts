import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { publishedSchema } from '@meili-ha/core/ha/sync.ts'
import { tempDir } from '../temp-dir.fixture.ts'
import { CLOCK } from './member.fixture.ts'
import { PublishedNote } from './published-note.ts'

test('what was noted is known after a restart, and forgotten after a reboot', async () => {
  await using dir = await tempDir()
  const ha = new HaDir(dir.path)
  await new PublishedNote(ha, CLOCK).set({ claimed: 4, nextSeq: { epoch: 4, seq: 2 }, stale: 'x' })
  const again = new PublishedNote(ha, CLOCK)
  await again.load()
  expect(again.facts).toMatchObject({ claimed: 4, nextSeq: { epoch: 4, seq: 2 }, stale: 'x' })
  const rebooted = new PublishedNote(ha, { ...CLOCK, bootId: () => 'b008' })
  await rebooted.load()
  expect(rebooted.facts.claimed).toBeNull()
})

test('a seq that is used is never the lowest again', async () => {
  await using dir = await tempDir()
  const note = new PublishedNote(new HaDir(dir.path), CLOCK)
  expect(note.lowest()).toBeNull()
  await note.use({ epoch: 3, seq: 7 })
  expect(note.lowest()).toEqual({ epoch: 3, seq: 8 })
})

test('of several notes at once the last one stays, however slow the first is', async () => {
  await using dir = await tempDir()
  await mkdir(join(dir.path, 'ha'))
  class SlowAtFirst extends HaDir {
    writes = 0

    override async writeJson(...call: Parameters<HaDir['writeJson']>) {
      if (this.writes++ === 0) await new Promise((resolve) => setTimeout(resolve, 50))
      await super.writeJson(...call)
    }
  }
  const ha = new SlowAtFirst(join(dir.path, 'ha'))
  const note = new PublishedNote(ha, CLOCK)
  await Promise.all([
    note.set({ progress: 1 }),
    note.set({ progress: 2 }),
    note.set({ claimed: 9 }),
  ])
  expect(await ha.readJson('published.json', publishedSchema)).toMatchObject({
    ...{ progress: 2, claimed: 9 },
  })
})
