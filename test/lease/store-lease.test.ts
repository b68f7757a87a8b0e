import { isError } from '@meili-ha/core/errors.ts'
import { REAL_CLOCK } from '@meili-ha/core/store/deadline.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import type { LeaseBackend, LeaseRecord } from '@meili-ha/lease-keeper/lease/lease.ts'
import { openStoreLease, storeLease } from '@meili-ha/lease-keeper/lease/open-store-lease.ts'
import { StoreStatements } from '@meili-ha/lease-keeper/members/store-statements.ts'
import type { Statement } from '@meili-ha/lease-keeper/members/statement.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../harness/until.ts'
import type { Fault } from '../s3-server/faults.ts'
import { type S3Server, startS3Server } from '../s3-server/s3-server.ts'
import { storeOn } from '../s3-server/s3-server-store.ts'
import { leaseStores } from './lease-stores.ts'

const HELD: LeaseRecord = {
  holder: 'uid-1/nonce-1',
  member: 'meili-0',
  epoch: 7,
  renewals: 41,
  durationMs: 15_000,
  renewedAt: '2026-01-02T03:04:05.678Z',
  released: null,
  served: true,
  paused: false,
  request: { id: 'r1', verb: 'switchover', to: 'meili-1' },
}

const OPTIONS = { timeoutMs: 20_000, clock: REAL_CLOCK }

describe.each(leaseStores())('a lease on $name', ({ open }) => {
  let stack: AsyncDisposableStack
  let store: Store
  let lease: LeaseBackend

  beforeEach(async () => {
    stack = new AsyncDisposableStack()
    store = (await open(stack)).store
    lease = await openStoreLease(store, OPTIONS)
  })
  afterEach(() => stack.disposeAsync())

  const recordKey = async () =>
    (await store.list(''))
      .map(({ key }) => key)
      .filter((key) => key.startsWith('lease'))
      .toSorted()
      .at(-1)!

  it('is undefined where there is none, and the proof left nothing', async () => {
    expect(await lease.read()).toBeUndefined()
    expect(await store.list('')).toEqual([])
  })

  it('reads back what it created, and what it updated', async () => {
    const created = await lease.create(HELD)
    expect(created.record).toEqual(HELD)
    expect(await lease.read()).toEqual(created)
    const released = { ...HELD, holder: null, released: 7, request: null }
    const updated = await lease.update(released, created.version)
    expect(updated.version).not.toBe(created.version)
    expect(await lease.read()).toEqual(updated)
    expect(updated.record).toEqual(released)
  })

  it('has a new version even where the record says the same', async () => {
    const { version } = await lease.create(HELD)
    const same = await lease.update(HELD, version)
    expect(same.version).not.toBe(version)
    await expect(lease.update(HELD, version)).rejects.toMatchObject({ failure: 'conflict' })
  })

  it('takes a record that exists, and one that is gone, for a conflict', async () => {
    const { version } = await lease.create(HELD)
    await expect(lease.create(HELD)).rejects.toMatchObject({ failure: 'conflict' })
    await store.delete(await recordKey())
    expect(await lease.read()).toBeUndefined()
    await expect(lease.update(HELD, version)).rejects.toMatchObject({ failure: 'conflict' })
    expect(await lease.read()).toBeUndefined()
  })

  it.each([
    ['emptied', ''],
    ['no JSON', 'hello'],
    ['without a holder field', JSON.stringify({ ...HELD, holder: undefined })],
    ['with a negative epoch', JSON.stringify({ ...HELD, epoch: -1 })],
  ])('has no holder and epoch 0 once it was edited by hand: %s', async (_, text) => {
    await lease.create(HELD)
    await store.put(await recordKey(), text)
    const edited = (await lease.read())!
    expect(edited.record).toMatchObject({ holder: null, epoch: 0, released: null })
    await lease.update({ ...HELD, epoch: 1007 }, edited.version)
    expect((await lease.read())?.record.epoch).toBe(1007)
  })

  it('keeps a handful of records at most', async () => {
    let { version } = await lease.create(HELD)
    for (let renewals = 42; renewals < 72; renewals++) {
      version = (await lease.update({ ...HELD, renewals }, version)).version
    }
    const few = async () => (await store.list('')).length <= 11
    await until('old records are gone', few)
    expect((await lease.read())?.record.renewals).toBe(71)
  })

  it('gives nothing to who slept until its number was cleaned up', async () => {
    const { version: old } = await lease.create(HELD)
    let version = old
    for (let renewals = 42; renewals < 60; renewals++) {
      version = (await lease.update({ ...HELD, renewals }, version)).version
    }
    await until('old records are gone', async () => (await store.list('')).length <= 11)
    const zombie = storeLease(wokenUp(store, 'list'), OPTIONS).update(HELD, old)
    await expect(zombie).rejects.toMatchObject({ failure: 'conflict' })
    expect((await lease.read())?.version).toBe(version)
  })

  it('is beside what the members state', async () => {
    const statement: Statement = {
      member: 'meili-0',
      role: 'standby',
      phase: 'standby',
      epoch: 3,
      snapshot: null,
      lagMs: null,
      notReady: 'the store is away',
      promoted: null,
      statedAt: '2026-01-02T03:04:05.678Z',
    }
    const statements = new StoreStatements(store)
    expect(await statements.readAll()).toEqual([])
    await statements.state({ ...statement, member: 'host/b' })
    await statements.state(statement)
    await statements.state({ ...statement, role: 'primary' })
    await store.put('members/edited.json', 'by hand')
    expect((await statements.readAll()).map(({ member, role }) => [member, role])).toEqual([
      ['host/b', 'standby'],
      ['meili-0', 'primary'],
    ])
  })
})

/** A store whose first listing shows nothing newer than record 1, as it was before a freeze. */
function wokenUp(store: Store, method: 'list'): Store {
  let frozen = true
  return Object.create(store, {
    url: { value: store.url },
    put: { value: store.put.bind(store) },
    get: { value: store.get.bind(store) },
    delete: { value: store.delete.bind(store) },
    [method]: {
      value: async (prefix: string) => {
        const seen = await store.list(prefix)
        if (!frozen) return seen
        frozen = false
        return [{ key: 'lease/0000000001.json', size: 1, etag: 'x' }]
      },
    },
  }) as Store
}

describe('a lease on a faulty S3 store', () => {
  let server: S3Server
  let store: Store
  let lease: LeaseBackend

  beforeEach(async () => {
    server = await startS3Server()
    store = storeOn(server)
    lease = storeLease(store, { timeoutMs: 500, clock: REAL_CLOCK })
  })
  afterEach(async () => {
    store.close()
    await server.close()
  })

  const PUT = { op: 'PutObject' }
  const next = { ...HELD, renewals: 42 }

  it('knows its own write after a lost answer', async () => {
    server.faults.add({ kind: 'lost-answer' }, PUT)
    const { version } = await lease.create(HELD)
    server.faults.add({ kind: 'lost-answer' }, PUT)
    const updated = await lease.update(next, version)
    expect(await lease.read()).toEqual(updated)
    expect(server.count('PutObject')).toBe(2)
  })

  it('knows its own write where a proxy sent it twice', async () => {
    const { version } = await lease.create(HELD)
    const twice = Object.create(store, {
      url: { value: store.url },
      get: { value: store.get.bind(store) },
      put: {
        value: async (...args: Parameters<Store['put']>) => {
          await store.put(...args)
          return store.put(...args)
        },
      },
    }) as Store
    const updated = await storeLease(twice, OPTIONS).update(next, version)
    expect(await lease.read()).toEqual(updated)
  })

  it('is a conflict after a lost answer where somebody else has written', async () => {
    const { version } = await lease.create(HELD)
    await lease.update(next, version)
    server.faults.add({ kind: 'reset' }, PUT)
    await expect(lease.update(HELD, version)).rejects.toMatchObject({ failure: 'conflict' })
  })

  it.each<Fault>([
    { kind: 'reset' },
    { kind: 'status', status: 503, code: 'SlowDown' },
    { kind: 'status', status: 500, code: 'InternalError' },
    { kind: 'hang' },
  ])('is unknown, sent once, within the deadline: $kind $status', async (fault) => {
    const { version } = await lease.create(HELD)
    server.faults.add(fault, PUT)
    const start = performance.now()
    await expect(lease.update(next, version)).rejects.toMatchObject({ failure: 'unknown' })
    expect(performance.now() - start).toBeLessThan(1500)
    expect(server.count('PutObject')).toBe(2)
    expect((await lease.read())?.record).toEqual(HELD)
  })

  it('is unknown where reading back fails too', async () => {
    const { version } = await lease.create(HELD)
    server.faults.add({ kind: 'lost-answer' }, PUT)
    server.faults.add({ kind: 'hang' }, { op: 'GetObject', times: Infinity })
    await expect(lease.update(next, version)).rejects.toMatchObject({ failure: 'unknown' })
    await expect(lease.read()).rejects.toMatchObject({ failure: 'unknown' })
    server.faults.clear()
    expect((await lease.read())?.record).toEqual(next)
  })

  it('is denied where the store denies', async () => {
    const { version } = await lease.create(HELD)
    server.faults.add({ kind: 'status', status: 403, code: 'AccessDenied' }, { times: Infinity })
    await expect(lease.read()).rejects.toMatchObject({ failure: 'denied' })
    await expect(lease.create(HELD)).rejects.toMatchObject({ failure: 'denied' })
    await expect(lease.update(next, version)).rejects.toMatchObject({ failure: 'denied' })
  })

  it('is refused on a store that ignores conditions, and every broken promise is named', async () => {
    const careless = Object.create(store, {
      url: { value: store.url },
      put: { value: (key: string, body: string) => store.put(key, body) },
      get: { value: store.get.bind(store) },
      head: { value: store.head.bind(store) },
      delete: { value: store.delete.bind(store) },
    }) as Store
    const refusal: unknown = await openStoreLease(careless, OPTIONS).catch(
      (error: unknown) => error,
    )
    expect(isError(refusal, 'LEASE_UNUSABLE')).toBe(true)
    expect((refusal as Error).message).toContain('create over an existing object is refused')
    expect((refusal as Error).message).toContain('replace of a stale version is refused')
  })

  it('is not judged on a store that is away', async () => {
    server.faults.add({ kind: 'status', status: 403, code: 'AccessDenied' }, { times: Infinity })
    await expect(openStoreLease(store, OPTIONS)).rejects.toSatisfy((error) =>
      isError(error, 'STORE_DENIED'),
    )
  })
})
