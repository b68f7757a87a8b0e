import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { timingFor } from '@meili-ha/lease-keeper/timing.ts'
import { until } from '../harness/until.ts'
import type { ApiFault } from '../kube/api-faults.ts'
import { leasePath, remove, type KubeSite } from '../kube/kube-site.ts'
import { kubeWorlds, type KubeWorld } from '../kube/kube-worlds.ts'
import { failsOver, goesOn, settled, startTrial, termOf, type Trial } from './fault-table.ts'
import { kubeWays } from './kube-cluster.ts'
import type { Member } from '../cluster/member.ts'
import { searchOn } from './open-connection.ts'

const { killAt, takeover, renewEvery, requestTimeout } = timingFor(5000)
const TOLERANCE = 25

/** From a definite loss until Meilisearch is dead: the next renewal finds it, the guard sees `stop`, SIGTERM. */
const AT_ONCE = renewEvery + requestTimeout + 4 * TOLERANCE

interface Pod {
  metadata: { labels?: Record<string, string> }
}
interface Lease {
  metadata: { annotations?: Record<string, string> }
  spec?: Record<string, unknown>
}

describe.each(kubeWorlds())('with a Kubernetes lease on a $name, a primary', ({ name, start }) => {
  let world: KubeWorld
  let site: KubeSite
  let ways: Awaited<ReturnType<typeof kubeWays>>
  let trial: Trial & AsyncDisposable
  beforeAll(async () => {
    world = await start()
    site = await world.newSite()
    ways = await kubeWays(site, ['m1', 'm2'])
    trial = await startTrial(`L = 5 s, ${name}`, {}, ways.options)
  }, 120_000)
  afterAll(async () => {
    await trial[Symbol.asyncDispose]()
    await ways[Symbol.asyncDispose]()
    await world[Symbol.asyncDispose]()
  })

  const lease = () => leasePath(site, 'test')
  const readLease = async () => (await site.admin.call({ method: 'GET', path: lease() })) as Lease
  const editLease = (body: unknown) => site.admin.call({ method: 'PATCH', path: lease(), body })
  const isLabelled = async (member: Member) => {
    const path = `/api/v1/namespaces/${site.namespace}/pods/${member.name}`
    const { metadata } = (await site.admin.call({ method: 'GET', path })) as Pod
    return metadata.labels?.['meili-ha/role'] === 'primary'
  }
  const follows = (member: Member) => trial.cluster.standby(member, 45_000)

  test('alone carries the label that routers follow', async () => {
    const [primary, standby] = await settled(trial)
    await until('it is labelled', () => isLabelled(primary))
    expect(await isLabelled(standby)).toBe(false)
  })

  test.each(['black-hole', 'trickle'] as const)(
    'cut off from the API server is dead by kill-at, and runs no more until it has read its label: %s',
    async (how) => {
      const [primary, standby] = await settled(trial)
      const { proxy } = ways.ways.get(primary.name)!
      using client = searchOn(primary)
      let cutAt = 0
      await failsOver(trial, `partition: ${how}`, primary, () => {
        cutAt = systemBootClock.now()
        proxy.partition(how)
      })
      await client.died
      expect(client.lastAnswerAt).toBeLessThanOrEqual(cutAt + killAt + TOLERANCE)
      await until('the successor is labelled', () => isLabelled(standby))
      expect(await isLabelled(primary)).toBe(false)
      expect(await primary.ha.readLine('guard')).toMatch(/^stopped /)
      expect(await primary.ha.readLine('permit')).toMatch(/^stop /)
      proxy.heal()
      await follows(primary)
    },
  )

  test('makes a deleted Lease anew and goes on', async () => {
    const [primary] = await settled(trial)
    await goesOn(trial, 'Lease deleted', primary, async () => {
      const epoch = (await readLease()).metadata.annotations?.['meili-ha/epoch']
      await remove(site, lease())
      await until('it is there again', async () => {
        const { metadata, spec } = await readLease()
        return metadata.annotations?.['meili-ha/epoch'] === epoch && spec?.['holderIdentity']
      })
    })
  })

  test('that is frozen while the Lease is deleted is succeeded after L, not at once', async () => {
    const [primary] = await settled(trial)
    await frozenWhile('Lease deleted, keeper frozen', primary, () => remove(site, lease()))
  })

  test('is succeeded after its own L however short the Lease says it is', async () => {
    const [primary] = await settled(trial)
    await goesOn(trial, 'duration edited to 1', primary, () => editDuration())
    await frozenWhile('duration edited to 1, keeper frozen', primary, () => editDuration())
  })

  const editDuration = async () => void (await editLease({ spec: { leaseDurationSeconds: 1 } }))

  /** The successor's wait begins with what it sees last, so it can't be shorter than L from here. */
  async function frozenWhile(what: string, primary: Member, edit: () => Promise<void>) {
    let editedAt = 0
    const next = await failsOver(trial, what, primary, async () => {
      await primary.parts.keeper.freeze()
      await edit()
      editedAt = systemBootClock.now()
    })
    expect(next.from).toBeGreaterThanOrEqual(editedAt + takeover)
    primary.parts.keeper.thaw()
    await follows(primary)
  }

  const emptied = {
    metadata: { annotations: { 'meili-ha/epoch': null, 'meili-ha/renewals': null } },
    spec: null,
  }
  const stranger = { spec: { holderIdentity: 'somebody/else' } }
  const old = {
    metadata: { annotations: { 'meili-ha/epoch': '1', 'meili-ha/released': '1' } },
    spec: { holderIdentity: null },
  }
  test.each<[string, unknown]>([
    ['the Lease is emptied', emptied],
    ['the Lease names a stranger', stranger],
    ['an old Lease with a release marker is restored', old],
  ])('stops at once, and nobody leads for L, when %s', async (what, patch) => {
    const [primary] = await settled(trial)
    const before = termOf(trial, primary)
    let editedAt = 0
    const next = await failsOver(
      trial,
      what,
      primary,
      async () => {
        await editLease(patch)
        editedAt = systemBootClock.now()
      },
      'any',
    )
    expect(before.until).toBeLessThanOrEqual(editedAt + AT_ONCE)
    expect(next.from).toBeGreaterThanOrEqual(editedAt + takeover)
  })

  describe.skipIf(name === 'kube-apiserver')('whose API server misbehaves', () => {
    const renewals = { method: 'PUT', path: /\/leases\// }

    test('reads its token again when it has expired, and goes on', async () => {
      const [primary] = await settled(trial)
      const way = ways.ways.get(primary.name)!
      await goesOn(trial, 'token expired, a new one in the file', primary, async () => {
        const { calls } = site.inProcess!
        const expired = way.token()
        await way.setToken(await site.keeperToken('test'))
        const before = calls.length
        site.inProcess!.revoke(expired)
        const renewed = () =>
          calls.slice(before).filter(({ method, status }) => method === 'PUT' && status === 200)
        await until('it renews with the new one', () => renewed().length > 2)
        expect(calls.slice(before).some(({ status }) => status === 401)).toBe(true)
      })
    })

    test('reads the Lease at a conflict, and goes on while it names it', async () => {
      const [primary] = await settled(trial)
      const { faults, calls } = site.inProcess!
      await goesOn(trial, '409 three times over', primary, async () => {
        const before = calls.length
        faults.add({ kind: 'status', status: 409 }, { ...renewals, times: 3 })
        const conflicts = () => calls.slice(before).filter(({ status }) => status === 409)
        await until('it has met them', () => conflicts().length === 3)
        const permit = await primary.ha.readLine('permit')
        await until('it renews', async () => (await primary.ha.readLine('permit')) !== permit)
      })
    })

    test("runs no more while its label can't be taken off, though it reads the Lease", async () => {
      const [primary] = await settled(trial)
      const { faults } = site.inProcess!
      const ownPod = new RegExp(`/pods/${primary.name}$`)
      await failsOver(trial, 'Lease names a stranger, the label stays on', primary, async () => {
        faults.add(
          { kind: 'status', status: 500 },
          { method: 'PATCH', path: ownPod, times: Infinity },
        )
        await editLease(stranger)
        await until(
          'another leads',
          () =>
            trial.watch.terms.some(({ member, until: dead }) => member !== primary.name && !dead),
          { timeoutMs: 30_000 },
        )
        expect(await isLabelled(primary)).toBe(true)
        expect(await primary.ha.readLine('guard')).toMatch(/^stopped /)
        expect(await primary.ha.readLine('permit')).toMatch(/^stop /)
        faults.clear()
      })
      await follows(primary)
      expect(await isLabelled(primary)).toBe(false)
    })

    test.each<[string, ApiFault]>([
      ['409 storm', { kind: 'status', status: 409 }],
      ['401s, and no other token', { kind: 'status', status: 401 }],
      ['renewals that take effect and are answered with 500', { kind: 'applied-but', status: 500 }],
    ])('is dead by kill-at: %s', async (what, fault) => {
      const [primary] = await settled(trial)
      const term = termOf(trial, primary)
      const { faults } = site.inProcess!
      await failsOver(
        trial,
        what,
        primary,
        async () => {
          const from = systemBootClock.now()
          faults.add(fault, { ...renewals, times: Infinity })
          await until('it is dead', () => term.until, { timeoutMs: 10_000 })
          expect(term.until).toBeLessThanOrEqual(from + killAt + TOLERANCE)
          // The guard acts half a second before term-at: a renewal until then would go on in the epoch.
          const stop = async () => (await primary.ha.readLine('permit'))?.startsWith('stop ')
          await until('the keeper has given up its term', stop)
          faults.clear()
        },
        'any',
      )
    })
  })
})
