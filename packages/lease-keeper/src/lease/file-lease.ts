import { fileURLToPath } from 'node:url'
import { isError } from '@meili-ha/core/errors.ts'
import { withDeadline } from '@meili-ha/core/store/deadline.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { LeaseError, type LeaseBackend, type LeaseRecord, type VersionedRecord } from './lease.ts'
import { fileSystemOf } from './file-system-of.ts'
import { storeLeaseError } from './store-errors.ts'
import type { StoreLeaseOptions } from './store-lease.ts'
import { readRecord, writtenRecord } from './store-record.ts'

const FOLDER = 'lease/'

/** Records that stay: enough for a person to see what happened, and for readers that are slow. */
const KEPT = 10

/** How often a record may vanish between listing and reading before it is no accident. */
const READ_ATTEMPTS = 5

/**
 * The lease in a directory that several members share: numbered records, each made by exclusive
 * creation, the one thing that every file system and NFS do atomically; nobody has to hold a lock,
 * so nobody frozen can keep one. A record's version is its number.
 *
 * A creation alone proves nothing: whoever wakes from a long freeze may create a number that was
 * cleaned up since. It counts only if a listing afterwards shows it as the highest.
 */
export class FileLease implements LeaseBackend {
  readonly name: string
  readonly #store: Store
  readonly #options: StoreLeaseOptions
  readonly #directory: string
  /** Where the record was last seen; another one under the same path is another lease. */
  #fileSystem: number | undefined

  /** @param store a file:// store proven by proveStoreLease */
  constructor(store: Store, options: StoreLeaseOptions) {
    this.#store = store
    this.#options = options
    this.#directory = fileURLToPath(store.url)
    this.name = `lease ${store.url}/${FOLDER}`
  }

  read(): Promise<VersionedRecord | undefined> {
    return this.#within(async (signal) => {
      for (let attempt = 1; ; attempt++) {
        const newest = (await this.#numbers()).at(-1)
        if (newest === undefined) return undefined
        try {
          const { record } = await this.#get(newest, signal)
          this.#fileSystem = await fileSystemOf(this.#directory)
          return { record, version: String(newest) }
        } catch (error) {
          if (!isError(error, 'STORE_NOT_FOUND') || attempt >= READ_ATTEMPTS) throw error
        }
      }
    })
  }

  async create(record: LeaseRecord): Promise<VersionedRecord> {
    const before = this.#fileSystem
    // Others may still have it mounted, and one of them lead by the record there.
    if (before !== undefined && (await fileSystemOf(this.#directory)) !== before) {
      const why = 'the directory is on another file system than before: is it mounted?'
      throw new LeaseError('unknown', `${this.name}: ${why}`)
    }
    return this.#write(record, 0)
  }

  update(record: LeaseRecord, version: string): Promise<VersionedRecord> {
    return this.#write(record, Number(version))
  }

  #write(record: LeaseRecord, replaces: number): Promise<VersionedRecord> {
    const number = replaces + 1
    return this.#within(async (signal) => {
      this.#mustBeHighest(replaces, await this.#numbers())
      await this.#createRecord(record, number, signal)
      const numbers = await this.#numbers()
      this.#mustBeHighest(number, numbers)
      this.#clean(numbers)
      return { record, version: String(number) }
    })
  }

  async #createRecord(record: LeaseRecord, number: number, signal: AbortSignal): Promise<void> {
    const { body, nonce } = writtenRecord(record)
    const options = { ifNoneMatch: '*', retries: 0, signal } as const
    try {
      await this.#store.put(keyOf(number), body, { ...options, timeoutMs: this.#options.timeoutMs })
    } catch (error) {
      // NFS sends again by itself when an answer is lost, and then meets its own file.
      const mine = await this.#get(number, signal).catch(() => undefined)
      if (mine?.nonce !== nonce) throw error
    }
  }

  #mustBeHighest(number: number, numbers: number[]): void {
    const highest = numbers.at(-1) ?? 0
    if (highest === number) return
    throw new LeaseError('conflict', `${this.name}: record ${highest} is the newest, not ${number}`)
  }

  /** Nobody waits for it: what a renewal leaves behind, a later one removes. */
  #clean(numbers: number[]): void {
    const old = numbers.slice(0, -KEPT)
    Promise.allSettled(old.map((number) => this.#store.delete(keyOf(number)))).catch(() => {})
  }

  async #get(number: number, signal: AbortSignal) {
    const { body } = await this.#store.get(keyOf(number), { signal })
    return readRecord(body)
  }

  /** Ascending. */
  async #numbers(): Promise<number[]> {
    const objects = await this.#store.list(FOLDER)
    const numbers = objects.map(({ key }) => Number(/^lease\/(\d{1,15})\.json$/.exec(key)?.[1]))
    return numbers.filter((number) => number > 0).toSorted((a, b) => a - b)
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

/** Ten digits, so that a directory listing shows them in order. */
function keyOf(number: number): string {
  return `${FOLDER}${String(number).padStart(10, '0')}.json`
}
