import { isError } from '@meili-ha/core/errors.ts'
import { REAL_CLOCK } from '@meili-ha/core/store/deadline.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import type { LeaseBackend } from '@meili-ha/lease-keeper/lease/lease.ts'
import { openStoreLease, storeLease } from '@meili-ha/lease-keeper/lease/open-store-lease.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Fault } from '../s3-server/faults.ts'
import { type S3Server, startS3Server } from '../s3-server/s3-server.ts'
import { storeOn } from '../s3-server/s3-server-store.ts'
import { HELD } from './held.ts'

const OPTIONS = { timeoutMs: 20_000, clock: REAL_CLOCK }

describe('a lease on a faulty S3 store', () => {
  let server: S3Server
  let store: Store
  let lease: LeaseBackend

  beforeEach(async () => {
    server = await startS3Server()
    store = storeOn(server)
    lease = storeLease(store, { timeoutMs: 1500, clock: REAL_CLOCK })
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
    expect(performance.now() - start).toBeLessThan(3000)
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
      list: { value: store.list.bind(store) },
      delete: { value: store.delete.bind(store) },
    }) as Store
    const refusal: unknown = await openStoreLease(careless, OPTIONS).catch(
      (error: unknown) => error,
    )
    expect(isError(refusal, 'LEASE_UNUSABLE')).toBe(true)
    expect((refusal as Error).message).toContain('create over an existing object is refused')
    expect((refusal as Error).message).toContain('replace of a stale version is refused')
  })

  it('is not judged by a connection that broke during the proof', async () => {
    server.faults.add({ kind: 'reset' }, { op: 'PutObject', key: /race-create/ })
    await expect(openStoreLease(store, OPTIONS)).rejects.toSatisfy((error) =>
      isError(error, 'LEASE_UNREACHABLE'),
    )
  })

  it('is not judged on a store that is away', async () => {
    server.faults.add({ kind: 'status', status: 403, code: 'AccessDenied' }, { times: Infinity })
    await expect(openStoreLease(store, OPTIONS)).rejects.toSatisfy((error) =>
      isError(error, 'STORE_DENIED'),
    )
  })
})
