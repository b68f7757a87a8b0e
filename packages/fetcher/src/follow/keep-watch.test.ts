import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { Gate } from './gate.ts'
import { keepWatch } from './keep-watch.ts'
import { MeilisearchWatch } from './watch-meilisearch.ts'

const LINEAGE: Lineage = {
  format: 1,
  clusterId: 'c',
  snapshotId: null,
  tarball: null,
  primaryIn: [],
  claim: null,
  lastTaskUid: null,
}

/** A member whose Meilisearch runs and has no task; `asked` counts how often it was asked. */
async function scene(primaryIn: number[]) {
  const ha = new HaDir(await mkdtemp(join(tmpdir(), 'ha-')))
  onTestFinished(() => rm(ha.path, { recursive: true, force: true }))
  await ha.writeLine('data', 'ready -')
  await ha.writeLine('guard', 'running 7 100 | standby 1 - - b007 | ready -')
  const asked: string[] = []
  const client = {
    newestTask: async () => void asked.push('newest'),
    tasks: async () => ({ results: [], next: null }),
  }
  const clock = { now: () => 100, bootId: () => 'b007' }
  const gate = new Gate({ ha, clock, sleep: async () => {} })
  const watch = new MeilisearchWatch(client, false, pino({ level: 'silent' }))
  const member = { lineage: { ...LINEAGE, primaryIn }, writeLineage: async () => {} }
  return { asked, look: (polled: boolean) => keepWatch({ gate, ha, watch }, member, polled) }
}

test('a primary without any task is asked for its mark once, and then at every poll', async () => {
  const { asked, look } = await scene([1])
  for (const polled of [false, false, false, true, false]) await look(polled)
  expect(asked).toHaveLength(2)
})

test('a standby is asked until it has one: what comes first later could be a stray', async () => {
  const { asked, look } = await scene([])
  for (const polled of [false, false, false]) await look(polled)
  expect(asked).toHaveLength(3)
})
