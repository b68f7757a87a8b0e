import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inspectDataDirectory } from '@meili-ha/core/data-dir/inspect.ts'
import { readLineage } from '@meili-ha/core/data-dir/lineage.ts'
import { tempDir, type TempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { makeSnapshots } from './make-snapshots.ts'
import { publish } from './publish.ts'
import { get, startStandby } from './standby.ts'

let made: TempDir
let FIRST: string
let SECOND: string
beforeAll(async () => {
  made = await tempDir()
  ;[FIRST, SECOND] = (await makeSnapshots(made.path, 2)) as [string, string]
})
afterAll(() => made[Symbol.asyncDispose]())

const stats = async (url: string) =>
  JSON.parse((await get(`${url}/stats`)).text) as { indexes: Record<string, unknown> }

describe('fetcher follow without a keeper', () => {
  test('restores, lets Meilisearch run, and swaps in what is published next', async () => {
    await using member = await startStandby({
      prepare: (store) => publish(store, FIRST, { seq: 1 }),
    })
    await until(
      'Meilisearch serves',
      async () => (await get(`${member.url}/health`)).status === 200,
    )
    await until('ready', async () => (await get(`${member.fetcherUrl}/readyz`)).status === 200)
    expect(await member.sync()).toMatchObject({ decided: true, ready: true, lagSeconds: 0 })

    await publish(member.store, SECOND, { seq: 2 })
    await until(
      'out of the read routing before the swap',
      async () => (await get(`${member.fetcherUrl}/readyz`)).status === 503,
    )
    await until(
      'the new documents are served',
      async () => Object.keys((await stats(member.url)).indexes).length === 2,
    )
    await until(
      'ready again',
      async () => (await get(`${member.fetcherUrl}/readyz`)).status === 200,
    )
    const lineage = await readLineage(join(member.data, 'data.ms'))
    expect(lineage).toMatchObject({ snapshotId: '0000000000-0000000002', primaryIn: [] })
    expect((await get(`${member.fetcherUrl}/metrics`)).text).toContain(
      'meili_ha_fetcher_swaps_total{old="replaced"} 1',
    )
  })

  test('waits for a store that was never used, and never begins empty', async () => {
    await using member = await startStandby()
    await until('it says so', async () => (await member.sync()).uninitialised)
    expect(await member.ha.readLine('data')).toBeUndefined()
    await publish(member.store, SECOND, { seq: 1 })
    await until('decided', async () => (await member.sync()).decided)
    expect((await inspectDataDirectory(join(member.data, 'data.ms'))).state).toBe('whole')
  })

  test('says when somebody wrote to it, and its swap keeps what they wrote', async () => {
    await using member = await startStandby({
      prepare: (store) => publish(store, SECOND, { seq: 1 }),
    })
    const live = join(member.data, 'data.ms')
    await until('the mark is read', async () => (await readLineage(live))?.lastTaskUid === 2)
    await fetch(`${member.url}/indexes/stray/documents`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '[{"id":1}]',
    })
    const sync = await until('it notices', async () => {
      const found = await member.sync()
      return found.ready ? undefined : found
    })
    expect(sync.reason).toContain('was written to this standby')

    await publish(member.store, FIRST, { seq: 2 })
    await until('swapped', async () => (await readLineage(live))?.snapshotId?.endsWith('2'))
    const names = await readdir(member.data)
    expect(names.filter((name) => name.startsWith('data.ms.diverged-0-'))).toHaveLength(1)
    await until('it counts what waits for a person', async () => {
      const { text } = await get(`${member.fetcherUrl}/metrics`)
      return (
        text.includes('meili_ha_fetcher_set_aside_directories 1\n') &&
        /meili_ha_fetcher_set_aside_bytes [1-9]/.test(text)
      )
    })
    await until('ready again', async () => (await member.sync()).ready)
  })

  test('killed between the two renames, it finishes them', async () => {
    await using member = await startStandby({
      prepare: (store) => publish(store, FIRST, { seq: 1 }),
    })
    const live = join(member.data, 'data.ms')
    await until('ready', async () => (await get(`${member.fetcherUrl}/readyz`)).status === 200)
    await member.fetcher.kill()
    await member.ha.writeLine('data', 'closed 0')
    await rename(live, `${live}.next`)
    member.restartFetcher()
    await until('moved in', async () => (await readLineage(live))?.snapshotId?.endsWith('1'))
    await until('serves again', async () => (await get(`${member.url}/health`)).status === 200)
  })
})
