import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { manifestsIn } from '../uploader/programs.ts'
import { ids, write } from './books.ts'
import { startMachine, waitUntil } from './machine.ts'
import { follow, page } from './page.ts'

const KEY = 'runbook-master-key-0123456789'

test('restore to a time, and into a new cluster', async () => {
  await using root = await tempDir()
  const old = `file://${join(root.path, 'search')}`
  const keys = { MEILI_MASTER_KEY: KEY, MEILI_HA_API_KEY: KEY }
  await using alone = await startMachine(
    'search-0',
    { ...keys, MEILI_HA_STORE: old },
    { guarded: false },
  )
  await alone.systemctl('start', ['meilisearch'])
  await until('it is healthy', async () => (await alone.call('GET', '/health')).status === 200)
  await write(alone, 1, 2)
  await alone.user.run('npx pnpm@12 uploader snapshot')
  alone.user.places.set('2026-11-23T07:00:00Z', new Date(Date.now() + 1).toISOString())
  await alone.call('DELETE', '/indexes/books/documents')
  await until('they are gone', async () => (await ids(alone)).length === 0)

  const toTime = page('runbooks/restore-to-a-time.md')
  alone.user.places.set('0000000000-0000000012', '0000000000-0000000002')
  await alone.systemctl('start', ['meili-ha-uploader'])
  await follow(toTime, '## Steps', { primary: alone.user })
  await follow(toTime, '## Check', { primary: alone.user })
  expect(await ids(alone)).toEqual([1, 2])
  await follow(toTime, '## Back out', { primary: alone.user })
  await until('it is healthy', async () => (await alone.call('GET', '/health')).status === 200)
  expect(await ids(alone)).toEqual([])

  const cluster = {
    MEILI_HA_CLUSTER: 'search',
    MEILI_HA_LEASE: 'store',
    MEILI_HA_LEASE_DURATION: '5s',
  }
  const next = `file://${join(root.path, 'search-2')}`
  await using fresh = await startMachine('search-1', {
    ...keys,
    ...cluster,
    MEILI_HA_STORE: next,
    MEILI_HA_BOOTSTRAP_MEMBER: 'search-1',
  })
  const [first] = (await manifestsIn(openStore(old))).toSorted((a, b) => a.seq - b.seq)
  const { places } = fresh.user
  places.set('s3://my-backups/search', old)
  places.set('s3://my-backups/search-2', next)
  const tarball = 's3://my-backups/search/snapshots/0000000001-0000000004-20261123T065500Z.snapshot'
  places.set(tarball, join(root.path, 'search', first?.object?.key ?? ''))
  const newCluster = page('runbooks/restore-into-a-new-cluster.md')
  await follow(newCluster, '## Steps', { primary: fresh.user })
  await waitUntil(fresh, '/primary')
  await follow(newCluster, '## Check', { primary: fresh.user })
  expect(await ids(fresh)).toEqual([1, 2])
  await follow(newCluster, '## Back out', { primary: fresh.user })
  expect(await fresh.route('/primary')).toBe(0)
}, 120_000)
