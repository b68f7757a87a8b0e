import { REAL_CLOCK } from '@meili-ha/core/store/deadline.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import type { LeaseBackend } from '@meili-ha/lease-keeper/lease/lease.ts'
import { openStoreLease, storeLease } from '@meili-ha/lease-keeper/lease/open-store-lease.ts'
import { StoreStatements } from '@meili-ha/lease-keeper/members/store-statements.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../harness/until.ts'
import { HELD, STATED } from './held.ts'
import type { LeaseStore } from './lease-stores.ts'

const OPTIONS = { timeoutMs: 20_000, clock: REAL_CLOCK }

/** Registers what every store's lease must do. */
export function describeLease({ name, open }: LeaseStore, options: { skip?: boolean } = {}): void {
  describe.skipIf(options.skip)(`a lease on ${name}`, () => {
    let stack: AsyncDisposableStack
    let store: Store
    let lease: LeaseBackend

    beforeEach(async () => {
      stack = new AsyncDisposableStack()
      store = await open(stack)
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
      ['with an epoch that no name could bear', JSON.stringify({ ...HELD, epoch: 99_999_999_999 })],
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
      const zombie = storeLease(wokenUp(store), OPTIONS).update(HELD, old)
      await expect(zombie).rejects.toMatchObject({ failure: 'conflict' })
      expect((await lease.read())?.version).toBe(version)
    })

    it('is beside what the members state', async () => {
      const statements = new StoreStatements(store)
      expect(await statements.readAll()).toEqual([])
      await statements.state({ ...STATED, member: 'host/b' })
      await statements.state(STATED)
      await statements.state({ ...STATED, role: 'primary' })
      await store.put('members/edited.json', 'by hand')
      expect((await statements.readAll()).map(({ member, role }) => [member, role])).toEqual([
        ['host/b', 'standby'],
        ['meili-0', 'primary'],
      ])
    })
  })
}

/** A store whose first listing shows nothing newer than record 1, as it was before a freeze. */
function wokenUp(store: Store): Store {
  let frozen = true
  return Object.create(store, {
    url: { value: store.url },
    put: { value: store.put.bind(store) },
    get: { value: store.get.bind(store) },
    delete: { value: store.delete.bind(store) },
    list: {
      value: async (prefix: string) => {
        const seen = await store.list(prefix)
        if (!frozen) return seen
        frozen = false
        return [{ key: 'lease/0000000001.json', size: 1, etag: 'x' }]
      },
    },
  }) as Store
}
