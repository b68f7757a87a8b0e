import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { ids, write } from './books.ts'
import { startMachine, waitUntil } from './machine.ts'
import { follow, page } from './page.ts'

const KEY = 'runbook-master-key-0123456789'

test('lost bucket', async () => {
  await using root = await tempDir()
  const store = join(root.path, 'store')
  const settings = {
    MEILI_MASTER_KEY: KEY,
    MEILI_HA_API_KEY: KEY,
    MEILI_HA_STORE: `file://${store}`,
    MEILI_HA_CLUSTER: 'search',
    MEILI_HA_LEASE: 'store',
    MEILI_HA_LEASE_DURATION: '5s',
    MEILI_HA_EVERY: '1s',
    MEILI_HA_MAX_DUTY: '100%',
    MEILI_HA_BOOTSTRAP_MEMBER: 'search-1',
  }
  await using first = await startMachine('search-1', settings)
  await using second = await startMachine('search-2', settings)
  await first.startAll()
  await waitUntil(first, '/primary')
  await second.startAll()
  await write(first, 1, 2)
  await waitUntil(second, '/replica')

  await rm(store, { recursive: true, maxRetries: 10 })
  const lost = page('runbooks/lost-bucket.md')
  const leads = async () => {
    for (const one of [first, second]) if ((await one.route('/primary')) === 200) return one
    return undefined
  }
  const primary = await until('one leads', leads, { timeoutMs: 60_000, everyMs: 50 })
  await follow(lost, '## Steps', { primary: primary.user })
  await waitUntil(primary, '/primary')
  await follow(lost, '## Check', { primary: primary.user })
  const other = primary === first ? second : first
  await waitUntil(other, '/replica')
  for (const one of [primary, other]) expect(await ids(one)).toEqual([1, 2])
}, 180_000)
