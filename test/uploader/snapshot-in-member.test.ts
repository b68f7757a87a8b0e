import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { publish } from '../fetcher/publish.ts'
import { freePort } from '../harness/free-port.ts'
import { startMeilisearch, type RunningMeilisearch } from '../harness/meilisearch.ts'
import { until } from '../harness/until.ts'
import { leasedMember } from './leased-member.ts'
import { FIXTURES, manifestsIn, runUploader, uploader } from './programs.ts'

const fileStore = (dir: string) => `file://${dir}/store`

/** How many there are; the database of the fixture brings some. */
async function snapshotTasks(meilisearch: RunningMeilisearch): Promise<number> {
  const { body } = await meilisearch.call('GET', '/tasks?types=snapshotCreation')
  return (body as { results: unknown[] }).results.length
}

/** A member with `uploader run` in it, and `uploader snapshot` as a backup tool would run it there. */
async function memberWithRun() {
  const stack = new AsyncDisposableStack()
  const member = stack.use(await leasedMember(fileStore))
  const url = fileStore(join(member.data, '..'))
  const store = openStore(url)
  await publish(store, join(FIXTURES, 'empty.snapshot'), { seq: 1 })
  const meilisearch = stack.use(
    await startMeilisearch({
      dbPath: join(member.data, 'data.ms'),
      snapshotDir: join(member.data, 'snapshots'),
    }),
  )
  const before = await snapshotTasks(meilisearch)
  const listen = `127.0.0.1:${await freePort()}`
  const env = {
    ...{ MEILI_HA_STORE: url, MEILI_HA_DATA_DIR: member.data, MEILI_HA_DIR: member.ha.path },
    ...{ MEILI_HA_MEILI_URL: meilisearch.url, MEILI_HA_LISTEN: listen, MEILI_HA_MEMBER: 'm1' },
  }
  return {
    ...{ member, store, meilisearch },
    run: async () => {
      const child = stack.use(uploader(['run'], env))
      await child.waitFor(/uploader\.started/)
    },
    snapshot: (...args: string[]) => runUploader(['snapshot', ...args], env),
    /** Snapshots that were asked for since this began. */
    asked: async () => (await snapshotTasks(meilisearch)) - before,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test('in the primary it is published once, by the run that is there', async () => {
  await using it = await memberWithRun()
  await it.run()
  await it.member.promote(3, '0000000000-0000000001')
  await it.member.permit('primary', 3)
  const { code, stdout, stderr } = await it.snapshot('--if-primary')
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '0000000003-0000000001\n' })
  expect((await manifestsIn(it.store)).map(({ id }) => id)).toEqual([
    '0000000003-0000000001',
    '0000000003-0000000000',
    '0000000000-0000000001',
  ])
})

test('a standby is asked for nothing: it says so, and succeeds where that was expected', async () => {
  await using it = await memberWithRun()
  await it.run()
  await it.member.permit('standby', 3)
  expect(await it.snapshot('--if-primary')).toMatchObject({ code: 0, stdout: '' })
  const { code, stderr } = await it.snapshot()
  expect(code).toBe(1)
  expect(stderr).toContain('MEILI_HA_NOT_PERMITTED')
  expect(await it.asked()).toBe(0)
})

test('it does not wait longer than it was told for a run that can’t publish', async () => {
  await using it = await memberWithRun()
  await it.run()
  // No claim was written: the run refuses.
  await it.member.permit('primary', 3)
  const { code, stderr } = await it.snapshot('--timeout', '3s')
  expect(code).toBe(1)
  expect(stderr).toContain('MEILI_HA_TIMEOUT')
  await until('it was asked for', async () => (await it.asked()) === 1)
})
