import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { combineDigests } from '@meili-ha/core/archive/digests.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { GetOptions, Store } from '@meili-ha/core/store/store.ts'
import { downloadTarball } from './download.ts'
import { Patience } from './patience.ts'

const MIB = 1024 * 1024
const PART = 8 * MIB
const bytes = randomBytes(5 * PART + 12_345)
const parts = Array.from({ length: 6 }, (_, index) =>
  createHash('sha256')
    .update(bytes.subarray(index * PART, (index + 1) * PART))
    .digest('hex'),
)
const object = {
  key: 'snapshots/0000000000-0000000001-20261123T080000Z.snapshot',
  size: bytes.length,
  partSize: PART,
  parts,
  sha256: combineDigests(parts),
}

type Range = NonNullable<GetOptions['range']>

/** A store that holds the object; `before` may wait, fail, or damage what was read. */
function storeWith(before: (range: Range, into: Buffer) => Promise<void> | void = () => {}) {
  const seen = { inFlight: 0, most: 0, ifMatch: new Set<string | undefined>() }
  const store = {
    head: async () => ({ key: object.key, size: bytes.length, etag: 'v1' }),
    get: async (_: string, { range, ifMatch, into }: GetOptions) => {
      const { start, end } = range as Range
      seen.ifMatch.add(ifMatch)
      seen.most = Math.max(seen.most, ++seen.inFlight)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
      try {
        const target = (into as Buffer).subarray(0, end - start + 1)
        bytes.copy(target, 0, start, end + 1)
        await before({ start, end }, target)
        return { body: target, etag: 'v1', size: bytes.length }
      } finally {
        seen.inFlight -= 1
      }
    },
  } as unknown as Store
  return { store, seen }
}

function read(store: Store, timeoutMs = 0, signal = new AbortController().signal) {
  const patience = new Patience({ timeoutMs, signal, onWait: () => {}, sleep: async () => {} })
  return downloadTarball(store, object, { patience, signal })
}

async function digestOf(source: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of source) {
    hash.update(chunk)
    // A slow reader: what is read ahead meanwhile must not end up in its hands.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return hash.digest('hex')
}

const whole = createHash('sha256').update(bytes).digest('hex')
const unreachable = () => new MeiliHaError('STORE_UNREACHABLE', 'no answer')

describe('a download', () => {
  test('gives the bytes in order, three ranges at a time, all of one version', async () => {
    const { store, seen } = storeWith()
    expect(await digestOf(read(store))).toBe(whole)
    expect(seen.most).toBe(3)
    expect([...seen.ifMatch]).toEqual(['v1'])
  })

  test('waits out a store that goes away and comes back', async () => {
    let failures = 3
    const { store } = storeWith(() => {
      if (failures-- > 0) throw unreachable()
    })
    expect(await digestOf(read(store, 60_000))).toBe(whole)
  })

  test('gives up without progress', async () => {
    const { store } = storeWith(({ start }) => {
      if (start > 0) throw unreachable()
    })
    await expect(digestOf(read(store))).rejects.toThrow('no answer')
  })

  test.each([
    ['a flipped bit', (into: Buffer) => into.writeUInt8((into[7] as number) ^ 1, 7)],
    [
      'another object under the same name',
      () => {
        throw new MeiliHaError('STORE_CONFLICT', 'precondition failed')
      },
    ],
    [
      'an object that vanishes',
      () => {
        throw new MeiliHaError('STORE_NOT_FOUND', 'gone')
      },
    ],
  ])('calls the snapshot damaged: %s', async (_, damage) => {
    const { store } = storeWith(({ start }, into) => {
      if (start === 2 * PART) damage(into)
    })
    await expect(digestOf(read(store))).rejects.toMatchObject({ code: 'MEILI_HA_SNAPSHOT_DAMAGED' })
  })

  test('leaves no request behind when its reader has had enough', async () => {
    const { store, seen } = storeWith()
    for await (const _ of read(store)) break
    expect(seen.inFlight).toBe(0)
  })
})
