import { copyFile, mkdir, rename, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { runFetcher } from '../fetcher/in-place.ts'
import { publish } from '../fetcher/publish.ts'
import { eventsOf, FIXTURES, manifestsIn, uploader } from './programs.ts'

const EMPTY = join(FIXTURES, 'empty.snapshot')
const DAY = 24 * 60

/** Snapshots of earlier days, and an uploader to publish more: what the rules leave of them. */
async function history() {
  const dir = await tempDir()
  const url = `file://${dir.path}/store`
  const store = openStore(url)
  // Two a day, on six days; seq 1 and 2 on the first. All are over: what is placed later is of today.
  for (let seq = 1; seq <= 12; seq++) {
    const minute = (Math.floor((seq - 1) / 2) - 60) * DAY + seq
    await publish(store, EMPTY, { seq, minute, writer: 'm1' })
  }
  const snapshots = join(dir.path, 'm/snapshots')
  await mkdir(snapshots, { recursive: true })
  let second = 0
  return {
    ...{ dir, url, store },
    start: (...more: string[]) =>
      uploader(
        [
          ...['run', '--store', url, '--data-dir', join(dir.path, 'm'), '--member', 'm1'],
          ...['--listen', 'off', ...more],
        ],
        { MEILI_HA_MEILI_URL: 'http://127.0.0.1:9' },
      ),
    place: async () => {
      const temporary = join(snapshots, '.tmpAAAAAA')
      await copyFile(join(FIXTURES, 'catalogue.snapshot'), temporary)
      // The same content at another time is another snapshot.
      await utimes(temporary, new Date(), new Date(Date.now() + 1000 * second++))
      await rename(temporary, join(snapshots, 'data.ms.snapshot'))
    },
    seqs: async () => (await manifestsIn(store)).map(({ seq }) => seq),
    tarballs: async () =>
      (await store.list('snapshots/')).filter(({ key }) => key.endsWith('.snapshot')).length,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
}

test('keeps the last ones and one of each day; what nobody names any more goes after the grace', async () => {
  await using it = await history()
  await it.store.put('snapshots/0000000000-0000000099-20260101T000000Z.snapshot', 'an orphan')
  await using child = it.start('--keep-last', '3', '--keep-daily', '4', '--sweep-grace', '500ms')
  await child.waitFor(/watch\.started/)
  await it.place()
  await child.waitFor(/retention\.pruned/)
  // The orphan's seq counts as used. Today's, and the newest of the three days before it.
  expect(await it.seqs()).toEqual([100, 12, 11, 10, 8])
  expect(await it.tarballs(), 'not before the grace').toBe(14)
  await new Promise((resolve) => setTimeout(resolve, 600))
  await it.place()
  await child.waitFor(/retention\.swept/)
  await until('only what is named is left', async () => (await it.tarballs()) === 6)
  expect(await it.seqs()).toEqual([101, 100, 12, 10, 8])
  expect((await runFetcher(['verify', '--all', '--store', it.url])).code).toBe(0)
})

test('a dry run says what it would remove, and removes nothing', async () => {
  await using it = await history()
  await using child = it.start('--keep-last', '2', '--keep-daily', '0', '--dry-run')
  await child.waitFor(/watch\.started/)
  await it.place()
  await child.waitFor(/retention\.dry_run/)
  const said = eventsOf(child).find(({ event }) => event === 'retention.dry_run')
  expect(said?.['ids']).toHaveLength(11)
  expect(await it.seqs()).toHaveLength(13)
  expect(await it.tarballs()).toBe(13)
})
