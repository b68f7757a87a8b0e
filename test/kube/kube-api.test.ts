import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isError } from '@meili-ha/core/errors.ts'
import { kubeAccess } from '@meili-ha/lease-keeper/kubernetes/connect.ts'
import { inClusterAccess } from '@meili-ha/lease-keeper/kubernetes/in-cluster.ts'
import { KubernetesLease } from '@meili-ha/lease-keeper/lease/kubernetes-lease.ts'
import type { LeaseRecord } from '@meili-ha/lease-keeper/lease/lease.ts'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { tempDir } from '../harness/temp-dir.ts'
import type { ApiFault } from './api-faults.ts'
import type { ApiServer } from './api-server.ts'
import { startInProcessWorld } from './in-process-world.ts'
import { accessOf, clientOf, type KubeSite, writeKubeconfig } from './kube-site.ts'
import { type KubeWorld, kubeWorlds } from './kube-worlds.ts'

const RECORD: LeaseRecord = {
  holder: 'uid/nonce',
  member: 'meili-0',
  epoch: 1,
  renewals: 1,
  durationMs: 15_000,
  renewedAt: '2026-01-02T03:04:05.678Z',
  released: null,
  served: false,
  paused: false,
  request: null,
}

describe('a faulty API server', () => {
  let world: KubeWorld
  let site: KubeSite
  let server: ApiServer
  let access: ReturnType<typeof accessOf>
  let lease: KubernetesLease

  beforeEach(async () => {
    world = await startInProcessWorld()
    site = await world.newSite()
    server = site.inProcess!
    access = accessOf(site, await site.keeperToken('demo'))
    lease = new KubernetesLease(clientOf(access, 300), 'demo')
  })
  afterEach(() => world[Symbol.asyncDispose]())

  const took = async (act: () => Promise<unknown>) => {
    const start = performance.now()
    const failure = await act().then(
      () => 'none',
      (error: { failure?: string }) => error.failure,
    )
    return { failure, ms: performance.now() - start }
  }

  it.each<ApiFault>([
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503 },
    { kind: 'status', status: 429 },
    { kind: 'status', status: 302 },
    { kind: 'hang' },
    { kind: 'trickle' },
    { kind: 'reset' },
    { kind: 'lost-answer' },
    { kind: 'applied-but', status: 504 },
    { kind: 'nonsense' },
  ])(
    'leaves it unknown, within the deadline, what became of a call: $kind $status',
    async (fault) => {
      const { version } = await lease.create(RECORD)
      for (const act of [
        () => lease.read(),
        () => lease.update({ ...RECORD, renewals: 2 }, version),
      ]) {
        server.faults.add(fault)
        const { failure, ms } = await took(act)
        expect(failure).toBe('unknown')
        expect(ms).toBeLessThan(1000)
      }
      expect(await lease.read()).toBeDefined()
    },
  )

  it.each<ApiFault>([{ kind: 'reset' }, { kind: 'lost-answer' }, { kind: 'short-body' }])(
    'is not waited for once the connection broke: $kind',
    async (fault) => {
      server.faults.add(fault)
      const patient = new KubernetesLease(clientOf(access, 20_000), 'demo')
      const { failure, ms } = await took(() => patient.create(RECORD))
      expect(failure).toBe('unknown')
      expect(ms).toBeLessThan(10_000)
    },
  )

  it.each(['refuse', 'black-hole'] as const)('is unknown behind a partition: %s', async (how) => {
    const { version } = await lease.create(RECORD)
    server.partition(how)
    const { failure, ms } = await took(() => lease.update(RECORD, version))
    expect(failure).toBe('unknown')
    expect(ms).toBeLessThan(1000)
    server.heal()
    expect((await lease.read())?.version).toBe(version)
  })

  it('shows after a lost answer whether the write took effect', async () => {
    const { version } = await lease.create(RECORD)
    server.faults.add({ kind: 'lost-answer' })
    await expect(lease.update({ ...RECORD, renewals: 2 }, version)).rejects.toMatchObject({
      failure: 'unknown',
    })
    expect((await lease.read())?.record.renewals).toBe(2)
  })

  it('is a conflict for as long as it says 409', async () => {
    const { version } = await lease.create(RECORD)
    server.faults.add({ kind: 'status', status: 409 }, { method: 'PUT', times: 3 })
    for (let i = 0; i < 3; i++) {
      await expect(lease.update(RECORD, version)).rejects.toMatchObject({ failure: 'conflict' })
    }
    await lease.update({ ...RECORD, renewals: 2 }, version)
  })

  it.each([401, 403])('denies with %i', async (status) => {
    server.faults.add({ kind: 'status', status }, { times: Infinity })
    await expect(lease.read()).rejects.toMatchObject({ failure: 'denied' })
  })

  it('sends a call once, except after a 401', async () => {
    server.faults.add({ kind: 'status', status: 503 })
    await expect(lease.read()).rejects.toMatchObject({ failure: 'unknown' })
    expect(server.calls).toHaveLength(1)
    server.faults.add({ kind: 'status', status: 401 })
    expect(await lease.read()).toBeUndefined()
    expect(server.calls).toHaveLength(3)
  })

  it('gets the token that was rotated meanwhile', async () => {
    access.next = access.token
    access.token = 'expired'
    expect(await lease.read()).toBeUndefined()
    expect(access.renewals).toBe(1)
    expect(server.calls.map(({ user }) => user)).toEqual([undefined, 'keeper'])
  })

  it('gives the second try no time of its own', async () => {
    server.faults.add({ kind: 'status', status: 401 })
    server.faults.add({ kind: 'hang' })
    const { failure, ms } = await took(() => lease.read())
    expect(failure).toBe('unknown')
    expect(ms).toBeLessThan(550)
  })

  it('is not asked at all once credentials came too late', async () => {
    const slow = { ...access, credentials: () => new Promise<never>(() => {}) }
    const { failure, ms } = await took(() =>
      new KubernetesLease(clientOf(slow, 100), 'demo').read(),
    )
    expect(failure).toBe('unknown')
    expect(ms).toBeLessThan(1000)
    expect(server.calls).toHaveLength(0)
  })

  it('is asked over one connection', async () => {
    const before = server.connections()
    let { version } = await lease.create(RECORD)
    for (let renewals = 2; renewals < 30; renewals++) {
      version = (await lease.update({ ...RECORD, renewals }, version)).version
    }
    expect(server.connections() - before).toBe(1)
  })

  it('never finds its token in an error', async () => {
    for (const fault of [{ kind: 'reset' }, { kind: 'status', status: 403 }] as const) {
      server.faults.add(fault)
      const error: unknown = await lease.read().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(Error)
      expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(access.token)
    }
  })
})

describe.each(kubeWorlds())('access to a $name', ({ name, start }) => {
  let world: KubeWorld
  let site: KubeSite
  let token: string

  beforeEach(async () => {
    world = await start()
    site = await world.newSite()
    token = await site.keeperToken('demo')
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    return world[Symbol.asyncDispose]()
  })

  it('comes from a kubeconfig, which is read again after a 401', async () => {
    await using dir = await tempDir()
    const KUBECONFIG = await writeKubeconfig(site, { token: 'expired' }, dir.path)
    vi.stubEnv('KUBECONFIG', KUBECONFIG)
    const access = await kubeAccess({ KUBECONFIG, KUBERNETES_SERVICE_HOST: 'another' })
    expect(access.namespace).toBe(site.namespace)
    using api = clientOf(access)
    const lease = new KubernetesLease(api, 'demo')
    await expect(lease.read()).rejects.toMatchObject({ failure: 'denied' })
    await writeKubeconfig(site, { token }, dir.path)
    expect(await lease.read()).toBeUndefined()
    await lease.create(RECORD)
  })

  it('comes from a plugin, which is asked again after a 401', async () => {
    await using dir = await tempDir()
    const file = join(dir.path, 'credential.json')
    const say = (status: object) =>
      writeFile(file, JSON.stringify({ kind: 'ExecCredential', status }))
    const apiVersion = 'client.authentication.k8s.io/v1'
    const exec = { apiVersion, command: 'cat', args: [file] }
    vi.stubEnv('KUBECONFIG', await writeKubeconfig(site, { exec }, dir.path))
    await say({ token: 'expired' })
    using api = clientOf(await kubeAccess({}))
    const lease = new KubernetesLease(api, 'demo')
    await expect(lease.read()).rejects.toMatchObject({ failure: 'denied' })
    await say({ token })
    expect(await lease.read()).toBeUndefined()
  })

  it('is missing where there is neither a pod nor a kubeconfig', async () => {
    await using dir = await tempDir()
    vi.stubEnv('KUBECONFIG', undefined)
    vi.stubEnv('HOME', dir.path)
    await expect(kubeAccess({})).rejects.toSatisfy((error) => isError(error, 'LEASE_UNREACHABLE'))
  })

  it('is missing where a kubeconfig cannot be read', async () => {
    vi.stubEnv('KUBECONFIG', '/nowhere/config')
    await expect(kubeAccess({})).rejects.toSatisfy((error) => isError(error, 'LEASE_UNREACHABLE'))
  })

  // The in-process server speaks http, and no pod does.
  it.skipIf(name !== 'kube-apiserver')('comes from a service account in a pod', async () => {
    await using dir = await tempDir()
    const { hostname, port } = new URL(site.server)
    const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }
    await expect(inClusterAccess(env, dir.path)).rejects.toSatisfy((error) =>
      isError(error, 'LEASE_UNREACHABLE'),
    )
    const files = { namespace: site.namespace, token: 'expired', 'ca.crt': site.ca! }
    for (const [file, text] of Object.entries(files)) await writeFile(join(dir.path, file), text)
    using api = clientOf(await inClusterAccess(env, dir.path))
    const lease = new KubernetesLease(api, 'demo')
    await expect(lease.read()).rejects.toMatchObject({ failure: 'denied' })
    await writeFile(join(dir.path, 'token'), `${token}\n`)
    expect(await lease.read()).toBeUndefined()
    await lease.create(RECORD)
  })
})
