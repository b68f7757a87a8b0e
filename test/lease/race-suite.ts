import { REAL_CLOCK } from '@meili-ha/core/store/deadline.ts'
import { openStoreLease, storeLease } from '@meili-ha/lease-keeper/lease/open-store-lease.ts'
import { LeaseError, type LeaseRecord } from '@meili-ha/lease-keeper/lease/lease.ts'
import { describe, expect, it } from 'vitest'
import type { LeaseStore } from './lease-stores.ts'

const CANDIDATES = 32

/** A round = one epoch that all candidates race for. Set RACE_ROUNDS for hundreds of them. */
const ROUNDS = Number(process.env['RACE_ROUNDS'] ?? 20)

const DEADLINE = { timeout: Math.max(60_000, ROUNDS * 5_000) }

const FREE: LeaseRecord = {
  holder: null,
  member: null,
  epoch: 0,
  renewals: 0,
  durationMs: 15_000,
  renewedAt: '2026-01-02T03:04:05.678Z',
  released: null,
  served: false,
  paused: false,
  request: null,
}

/** Registers the race for one store. */
export function describeRace({ name, open }: LeaseStore, options: { skip?: boolean } = {}): void {
  describe.skipIf(options.skip)(`the race for a lease on ${name}`, () => {
    it(`gives each of ${ROUNDS} epochs to one of ${CANDIDATES} candidates`, DEADLINE, async () => {
      await using stack = new AsyncDisposableStack()
      const store = await open(stack)
      const limits = { timeoutMs: 30_000, clock: REAL_CLOCK }
      const first = await openStoreLease(store, limits)
      const creations = await Promise.allSettled(
        Array.from({ length: CANDIDATES }, () => first.create(FREE)),
      )
      expect(creations.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)

      const won: { epoch: number; by: number }[] = []
      const stand = async (by: number) => {
        const lease = storeLease(store, limits)
        for (;;) {
          const { record, version } = (await lease.read())!
          if (record.epoch >= ROUNDS) return
          const epoch = record.epoch + 1
          const mine = { ...record, epoch, holder: `uid/${by}`, renewals: record.renewals + 1 }
          try {
            await lease.update(mine, version)
            won.push({ epoch, by })
          } catch (error) {
            if (!(error instanceof LeaseError && error.failure === 'conflict')) throw error
          }
        }
      }
      await Promise.all(Array.from({ length: CANDIDATES }, (_, by) => stand(by)))

      const epochs = won.map(({ epoch }) => epoch).toSorted((a, b) => a - b)
      expect(epochs).toEqual(Array.from({ length: ROUNDS }, (_, i) => i + 1))
      const last = (await first.read())!.record
      expect(last.holder).toBe(`uid/${won.find(({ epoch }) => epoch === ROUNDS)!.by}`)
    })
  })
}
