import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { startProxy } from '../harness/proxy.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { createPod, writeKubeconfig } from '../kube/kube-site.ts'
import { kubeWorlds } from '../kube/kube-worlds.ts'
import { manifestsIn } from '../uploader/programs.ts'
import { ids, write } from './books.ts'
import { startMachine, waitUntil } from './machine.ts'
import { follow, page } from './page.ts'

const KEY = 'runbook-master-key-0123456789'
const LONG = { timeoutMs: 60_000, everyMs: 50 }

// The last of them is the real one, where there is one: the page is followed once.
const world = kubeWorlds().at(-1)!

test(`control plane gone (${world.name})`, async () => {
  await using kube = await world.start()
  await using root = await tempDir()
  const site = await kube.newSite()
  const { protocol, port } = new URL(site.server)
  await using way = await startProxy(Number(port))
  const server = `${protocol}//127.0.0.1:${way.port}`
  const token = await site.keeperToken('search')
  const store = `file://${join(root.path, 'store')}`
  const settingsOf = async (name: string) => {
    const directory = join(root.path, name)
    await mkdir(directory)
    return {
      MEILI_MASTER_KEY: KEY,
      MEILI_HA_API_KEY: KEY,
      MEILI_HA_STORE: store,
      MEILI_HA_CLUSTER: 'search',
      MEILI_HA_LEASE: 'kubernetes',
      MEILI_HA_LEASE_DURATION: '5s',
      MEILI_HA_POD_NAME: name,
      MEILI_HA_POD_UID: await createPod(site, name, 'search'),
      MEILI_HA_EVERY: '1s',
      MEILI_HA_MAX_DUTY: '100%',
      MEILI_HA_BOOTSTRAP_MEMBER: 'search-1',
      KUBECONFIG: await writeKubeconfig({ ...site, server }, { token }, directory),
    }
  }
  await using first = await startMachine('search-1', await settingsOf('search-1'))
  await using second = await startMachine('search-2', await settingsOf('search-2'))
  await first.startAll()
  await waitUntil(first, '/primary')
  await second.startAll()
  await write(first, 1)
  await waitUntil(second, '/replica')
  await until('the standby has it', async () => (await ids(second)).includes(1), LONG)

  way.partition('refuse')
  const down = async () => (await first.call('GET', '/health').catch(() => undefined)) === undefined
  await until('nobody takes writes', down, LONG)
  const gone = page('runbooks/control-plane-gone.md')
  second.user.places.set('http://search-1:7700', `http://${first.user.address(7700)}`)
  const shells = { primary: first.user, standby: second.user }
  await follow(gone, '## Steps', shells)
  await follow(gone, '## Check', shells)
  await write(first, 2)
  // It comes back while fixed roles are in force: nobody may care.
  way.heal()
  await until('the standby has it', async () => (await ids(second)).includes(2), LONG)
  const epoch = (await manifestsIn(openStore(store)))[0]!.epoch
  await follow(gone, '## Back out', shells)
  for (const { user } of [first, second]) {
    expect(existsSync(user.here('/etc/meili-ha-keeper.env'))).toBe(false)
  }
  const final = (await manifestsIn(openStore(store))).filter((one) => one.final)
  expect(final.map((one) => [one.epoch, one.writer])).toContainEqual([epoch, 'search-1'])
  const leads = async () => {
    for (const one of [first, second]) if ((await one.route('/primary')) === 200) return one
    return undefined
  }
  const leader = await until('one leads by the lease', leads, LONG)
  const other = leader === first ? second : first
  await waitUntil(other, '/replica')
  await write(leader, 3)
  await until('the other has it', async () => (await ids(other)).includes(3), LONG)
  for (const one of [first, second]) expect(await ids(one)).toEqual([1, 2, 3])
  expect((await manifestsIn(openStore(store)))[0]!.epoch).toBeGreaterThan(epoch)
}, 180_000)
