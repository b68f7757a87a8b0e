import { KubernetesLease } from '@meili-ha/lease-keeper/lease/kubernetes-lease.ts'
import type { LeaseObject } from '@meili-ha/lease-keeper/lease/kubernetes-record.ts'
import type { LeaseRecord } from '@meili-ha/lease-keeper/lease/lease.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HELD } from '../lease/held.ts'
import { accessOf, clientOf, type KubeSite, leasePath, remove } from './kube-site.ts'
import { type KubeWorld, kubeWorlds } from './kube-worlds.ts'

const CLUSTER = 'demo'

const RELEASED: LeaseRecord = { ...HELD, holder: null, released: 7, paused: true, request: null }

describe.each(kubeWorlds())('the lease on a $name', ({ start }) => {
  let world: KubeWorld
  let site: KubeSite
  let lease: KubernetesLease
  const newLease = async () => {
    const token = await site.keeperToken(CLUSTER)
    return new KubernetesLease(clientOf(accessOf(site, token)), CLUSTER)
  }

  beforeAll(async () => {
    world = await start()
  })
  afterAll(() => world[Symbol.asyncDispose]())
  beforeEach(async () => {
    site = await world.newSite()
    lease = await newLease()
  })

  const asAdmin = () => new KubernetesLease(site.admin, CLUSTER)
  const raw = async () =>
    (await site.admin.call({ method: 'GET', path: leasePath(site, CLUSTER) })) as LeaseObject
  const edit = (body: unknown) =>
    site.admin.call({ method: 'PATCH', path: leasePath(site, CLUSTER), body })

  it('is undefined where there is none', async () => {
    expect(await lease.read()).toBeUndefined()
  })

  it.each([HELD, RELEASED])('reads back what it created, and what it updated', async (record) => {
    const created = await lease.create(record)
    expect(created.record).toEqual(record)
    expect(await lease.read()).toEqual(created)
    const next = { ...record, renewals: 42, served: false }
    const updated = await lease.update(next, created.version)
    expect(updated.record).toEqual(next)
    expect(updated.version).not.toBe(created.version)
    expect(await lease.read()).toEqual(updated)
  })

  it('shows kubectl the holder, since when, and how often it changed', async () => {
    const { version } = await lease.create(RELEASED)
    const { version: taken } = await lease.update({ ...HELD, epoch: 8 }, version)
    await lease.update({ ...HELD, epoch: 8, renewedAt: '2026-01-02T03:04:07.000Z' }, taken)
    expect((await raw()).spec).toMatchObject({
      holderIdentity: 'uid-1/nonce-1',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-02T03:04:05.678000Z',
      renewTime: '2026-01-02T03:04:07.000000Z',
      leaseTransitions: 1,
    })
  })

  it('leaves labels and annotations of others on it', async () => {
    await lease.create(HELD)
    await edit({ metadata: { labels: { team: 'search' }, annotations: { note: 'hands off' } } })
    const { version } = (await lease.read())!
    await lease.update({ ...HELD, request: null }, version)
    const { metadata } = await raw()
    expect(metadata).toMatchObject({ labels: { team: 'search' } })
    expect(metadata.annotations).toMatchObject({ note: 'hands off' })
    expect(metadata.annotations).not.toHaveProperty('meili-ha/request')
  })

  it('lets one of two writers of a version win, and tells the other', async () => {
    const { version } = await lease.create(HELD)
    await lease.update({ ...HELD, renewals: 42 }, version)
    const late = asAdmin().update({ ...HELD, holder: 'other/1', epoch: 8 }, version)
    await expect(late).rejects.toMatchObject({ failure: 'conflict' })
    expect((await lease.read())?.record.holder).toBe(HELD.holder)
  })

  it('lets one of many racing writers win', async () => {
    const { version } = await lease.create(RELEASED)
    const racers = Array.from({ length: 16 }, (_, i) =>
      asAdmin().update({ ...HELD, holder: `uid-${i}/n`, epoch: 8 }, version),
    )
    const results = await Promise.allSettled(racers)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('takes a record that exists, and one that is gone, for a conflict', async () => {
    const { version } = await lease.create(HELD)
    await expect(lease.create(HELD)).rejects.toMatchObject({ failure: 'conflict' })
    await remove(site, leasePath(site, CLUSTER))
    expect(await lease.read()).toBeUndefined()
    await expect(lease.update(HELD, version)).rejects.toMatchObject({ failure: 'conflict' })
  })

  it('has no holder and epoch 0 once a person gave it an epoch that no name could bear', async () => {
    await lease.create(HELD)
    await edit({ metadata: { annotations: { 'meili-ha/epoch': '99999999999' } } })
    expect((await lease.read())?.record).toMatchObject({ holder: null, epoch: 0 })
  })

  it('has no holder and epoch 0 once a person emptied it', async () => {
    await lease.create(HELD)
    await edit({ metadata: { annotations: null }, spec: null })
    const emptied = (await lease.read())!
    expect(emptied.record).toMatchObject({ holder: null, epoch: 0, released: null, served: false })
    const taken = await lease.update({ ...HELD, epoch: 1008 }, emptied.version)
    expect(taken.record.epoch).toBe(1008)
  })

  it.each([
    { metadata: { annotations: { 'meili-ha/epoch': '-1' } } },
    { metadata: { annotations: { 'meili-ha/epoch': 'seven' } } },
    { metadata: { annotations: { 'meili-ha/renewals': null } } },
    { spec: { renewTime: null } },
  ])('has no holder, but was served, after the edit %j', async (body) => {
    await lease.create({ ...HELD, released: 7 })
    await edit(body)
    expect((await lease.read())?.record).toMatchObject({
      holder: null,
      epoch: 0,
      released: null,
      served: true,
    })
  })

  it('keeps epoch and marker where only the holder was removed', async () => {
    await lease.create(HELD)
    await edit({ spec: { holderIdentity: null } })
    expect((await lease.read())?.record).toMatchObject({ holder: null, epoch: 7, released: null })
  })

  it('is one Lease, and no other: the Role names it', async () => {
    await new KubernetesLease(site.admin, 'another').create(HELD)
    const token = await site.keeperToken(CLUSTER)
    const another = new KubernetesLease(clientOf(accessOf(site, token)), 'another')
    await expect(another.read()).rejects.toMatchObject({ failure: 'denied' })
    await expect(another.update(HELD, '1')).rejects.toMatchObject({ failure: 'denied' })
  })

  it('is denied to a token that nobody knows', async () => {
    const stranger = new KubernetesLease(clientOf(accessOf(site, 'stranger')), CLUSTER)
    await expect(stranger.read()).rejects.toMatchObject({ failure: 'denied' })
    await expect(stranger.create(HELD)).rejects.toMatchObject({ failure: 'denied' })
    await expect(stranger.update(HELD, '1')).rejects.toMatchObject({ failure: 'denied' })
  })

  it('takes a longer time than it can say in whole seconds for the next second', async () => {
    expect((await lease.create({ ...HELD, durationMs: 5500 })).record.durationMs).toBe(6000)
  })
})
