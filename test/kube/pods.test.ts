import { KubeError } from '@meili-ha/lease-keeper/kubernetes/kube-error.ts'
import { hasRight, rightsNeeded } from '@meili-ha/lease-keeper/kubernetes/rights.ts'
import { writePodEvent } from '@meili-ha/lease-keeper/kubernetes/pod-event.ts'
import { Pods } from '@meili-ha/lease-keeper/kubernetes/pods.ts'
import { PodStatements } from '@meili-ha/lease-keeper/members/pod-statements.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { STATED } from '../lease/held.ts'
import { accessOf, clientOf, createPod, type KubeSite, remove } from './kube-site.ts'
import { type KubeWorld, kubeWorlds } from './kube-worlds.ts'

const CLUSTER = 'demo'

describe.each(kubeWorlds())('pods on a $name', ({ start }) => {
  let world: KubeWorld
  let site: KubeSite
  let token: string

  beforeAll(async () => {
    world = await start()
  })
  afterAll(() => world[Symbol.asyncDispose]())
  beforeEach(async () => {
    site = await world.newSite()
    token = await site.keeperToken(CLUSTER)
  })

  const keeperApi = () => clientOf(accessOf(site, token))
  const member = async (name: string, cluster = CLUSTER) => {
    const uid = await createPod(site, name, cluster)
    return new Pods(keeperApi(), { name, uid, cluster })
  }
  const podPath = (name: string) => `/api/v1/namespaces/${site.namespace}/pods/${name}`

  it('carry the labels that their keeper sets, and lose them', async () => {
    const own = await member('meili-0')
    const bare = await own.readOwn()
    expect(bare).toMatchObject({ name: 'meili-0', primary: false, reads: false })
    const labels = { primary: true, reads: true, mark: '1/100' }
    const labelled = await own.patchOwn({ version: bare.version, ...labels })
    expect(labelled).toMatchObject({ primary: true, reads: true })
    const off = { version: labelled.version, primary: false, reads: false, mark: '1/200' }
    expect(await own.patchOwn(off)).toMatchObject({ primary: false, reads: false })
    expect(await own.readOwn()).toMatchObject({ primary: false, reads: false })
  })

  it('take no label that was decided on an older version', async () => {
    const own = await member('meili-0')
    const other = await member('meili-1')
    const { version } = await own.readOwn()
    await other.stripOthers('2/100')
    const late = own.patchOwn({ version, primary: true, reads: true, mark: '1/100' })
    await expect(late).rejects.toMatchObject({ failure: 'conflict' })
    expect(await own.readOwn()).toMatchObject({ primary: false })
  })

  it('change with every strip, even where there is no label to take', async () => {
    const own = await member('meili-0')
    const other = await member('meili-1')
    const versions = [(await own.readOwn()).version]
    for (const mark of ['2/100', '2/200']) {
      await other.stripOthers(mark)
      versions.push((await own.readOwn()).version)
    }
    expect(new Set(versions).size).toBe(3)
  })

  it('lose the primary label to another member alone, and keep their reads', async () => {
    const [a, b, stranger] = [
      await member('meili-0'),
      await member('meili-1'),
      await member('foreign-0', 'another'),
    ]
    for (const pods of [a, b, stranger]) {
      const { version } = await pods.readOwn()
      await pods.patchOwn({ version, primary: true, reads: true, mark: '1/1' })
    }
    await b.stripOthers('2/100')
    expect(await a.readOwn()).toMatchObject({ primary: false, reads: true })
    expect(await b.readOwn()).toMatchObject({ primary: true })
    expect(await stranger.readOwn()).toMatchObject({ primary: true })
  })

  it('are another one when the name came back with another uid', async () => {
    const old = await member('meili-0')
    const { version } = await old.readOwn()
    await remove(site, podPath('meili-0'))
    const young = await member('meili-0')
    const labels = { primary: true, reads: true, mark: '1/1' }
    await expect(old.readOwn()).rejects.toMatchObject({ failure: 'missing' })
    await expect(old.patchOwn({ version, ...labels })).rejects.toBeInstanceOf(KubeError)
    const { version: current } = await young.readOwn()
    await expect(old.patchOwn({ version: current, ...labels })).rejects.toBeInstanceOf(KubeError)
    await expect(old.annotateOwn('{}')).rejects.toBeInstanceOf(KubeError)
    expect(await young.readOwn()).toMatchObject({ version: current, primary: false, statement: '' })
  })

  it('hold what their keepers state', async () => {
    const [a, b] = [await member('meili-0'), await member('meili-1')]
    await member('meili-2')
    await new PodStatements(b).state({ ...STATED, member: 'meili-1' })
    await new PodStatements(a).state(STATED)
    await new PodStatements(a).state({ ...STATED, role: 'primary' })
    const all = await new PodStatements(b).readAll()
    expect(all.map(({ member: name, role }) => [name, role])).toEqual([
      ['meili-0', 'primary'],
      ['meili-1', 'standby'],
    ])
  })

  it('get the events that their keeper writes', async () => {
    const uid = await createPod(site, 'meili-0', CLUSTER)
    const event = { reason: 'Promoted', note: `epoch 3 ${'x'.repeat(2000)}`, warning: false }
    await writePodEvent(keeperApi(), { name: 'meili-0', uid }, event, STATED.statedAt)
    const path = `/apis/events.k8s.io/v1/namespaces/${site.namespace}/events`
    const { items } = (await site.admin.call({ method: 'GET', path })) as { items: unknown[] }
    expect(items).toMatchObject([{ reason: 'Promoted', type: 'Normal', regarding: { uid } }])
  })

  it('are within the rights that the shipped Role grants, and no more is granted', async () => {
    const api = keeperApi()
    const granted = await Promise.all(rightsNeeded(CLUSTER).map((right) => hasRight(api, right)))
    expect(granted).toEqual(rightsNeeded(CLUSTER).map(() => true))
    const beyond = [
      { verb: 'get', group: 'coordination.k8s.io', resource: 'leases', name: 'another' },
      { verb: 'delete', group: 'coordination.k8s.io', resource: 'leases', name: CLUSTER },
      { verb: 'list', group: 'coordination.k8s.io', resource: 'leases' },
      { verb: 'delete', group: '', resource: 'pods' },
      { verb: 'create', group: '', resource: 'pods' },
      { verb: 'get', group: '', resource: 'secrets' },
      { verb: 'list', group: 'events.k8s.io', resource: 'events' },
    ]
    expect(await Promise.all(beyond.map((right) => hasRight(api, right)))).toEqual(
      beyond.map(() => false),
    )
    await expect(
      api.call({ method: 'GET', path: `/api/v1/namespaces/${site.namespace}/secrets` }),
    ).rejects.toMatchObject({ failure: 'denied', status: 403 })
  })
})
