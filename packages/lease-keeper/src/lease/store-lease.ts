import { isError } from '@meili-ha/core/errors.ts'
import { type StoreClock, withDeadline } from '@meili-ha/core/store/deadline.ts'
import type { PutOptions, Store } from '@meili-ha/core/store/store.ts'
import { LeaseError, type LeaseBackend, type LeaseRecord, type VersionedRecord } from './lease.ts'
import { storeLeaseError } from './store-errors.ts'
import { readRecord, type WrittenRecord, writtenRecord } from './store-record.ts'

export interface StoreLeaseOptions {
  /** Milliseconds for one call, reading back included. */
  timeoutMs: number
  clock: StoreClock
}

/**
 * The lease as one object of a store with conditional writes. A write is sent once; where its answer
 * is lost, or says that somebody was first, the object is read and its nonce compared, for what time
 * is left: a proxy may have sent the write twice, and the refusal is of the second.
 */
export class StoreLease implements LeaseBackend {
  static readonly KEY = 'lease.json'
  readonly name: string
  readonly #store: Store
  readonly #options: StoreLeaseOptions

  /** @param store proven by proveStoreLease */
  constructor(store: Store, options: StoreLeaseOptions) {
    this.#store = store
    this.#options = options
    this.name = `lease ${store.url}/${StoreLease.KEY}`
  }

  read(): Promise<VersionedRecord | undefined> {
    return this.#within(async (signal) => {
      const found = await this.#get(signal)
      return found && { record: found.record, version: found.version }
    })
  }

  create(record: LeaseRecord): Promise<VersionedRecord> {
    return this.#write(record, { ifNoneMatch: '*' })
  }

  update(record: LeaseRecord, version: string): Promise<VersionedRecord> {
    return this.#write(record, { ifMatch: version })
  }

  #write(record: LeaseRecord, condition: PutOptions): Promise<VersionedRecord> {
    const written = writtenRecord(record)
    return this.#within(async (signal) => {
      const options = { ...condition, retries: 0, timeoutMs: this.#options.timeoutMs, signal }
      try {
        const { etag } = await this.#store.put(StoreLease.KEY, written.body, options)
        return { record, version: etag }
      } catch (error) {
        const lost = isError(error, 'STORE_UNREACHABLE', 'STORE_CHECKSUM')
        if (!lost && !isError(error, 'STORE_CONFLICT')) throw error
        return await this.#readBack(record, written, condition, error, signal)
      }
    })
  }

  async #readBack(
    record: LeaseRecord,
    { nonce }: WrittenRecord,
    { ifMatch }: PutOptions,
    error: unknown,
    signal: AbortSignal,
  ): Promise<VersionedRecord> {
    const found = await this.#get(signal).catch(() => {
      throw error
    })
    if (found?.nonce === nonce) return { record, version: found.version }
    // Still what it was: the write may be under way, and only an answer of the store rules that out.
    if (found?.version === ifMatch) throw error
    throw new LeaseError('conflict', `${this.name}: somebody else wrote first`, { cause: error })
  }

  async #get(signal: AbortSignal) {
    try {
      const { body, etag } = await this.#store.get(StoreLease.KEY, { signal })
      return { ...readRecord(body), version: etag }
    } catch (error) {
      if (isError(error, 'STORE_NOT_FOUND')) return undefined
      throw error
    }
  }

  async #within<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs, clock } = this.#options
    try {
      return await withDeadline(timeoutMs, undefined, clock, act)
    } catch (error) {
      throw storeLeaseError(error)
    }
  }
}
