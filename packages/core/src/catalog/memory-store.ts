import type { ObjectInfo, Store, UnfinishedUpload } from '../store/store.ts'
import { MeiliHaError } from '../errors.ts'

export interface MemoryStoreOptions {
  /** False: conditions are accepted and ignored, as Garage and B2 do. */
  conditions?: boolean
  /** Awaited before a call takes effect and again before it answers: where a caller can freeze. */
  pause?: (call: string) => Promise<void>
}

/** What several MemoryStores share: each member has its own view with its own pauses. */
export class MemoryBucket {
  readonly objects = new Map<string, { body: Buffer; etag: string }>()
  uploads: UnfinishedUpload[] = []
  writes = 0
}

/** A store for tests of the catalog: atomic calls, no faults, no parts. */
export class MemoryStore implements Store {
  readonly url = 'memory://'
  readonly bucket: MemoryBucket
  readonly #conditions: boolean
  readonly #pause: (call: string) => Promise<void>
  /** Calls so far, by name. */
  readonly calls: string[] = []

  constructor(bucket = new MemoryBucket(), options: MemoryStoreOptions = {}) {
    this.bucket = bucket
    this.#conditions = options.conditions ?? true
    this.#pause = options.pause ?? (async () => {})
  }

  async #atomically<T>(call: string, effect: () => T): Promise<T> {
    this.calls.push(call)
    await this.#pause(call)
    const result = effect()
    await this.#pause(call)
    return result
  }

  get(key: string) {
    return this.#atomically(`get ${key}`, () => {
      const object = this.bucket.objects.get(key)
      if (!object) throw new MeiliHaError('STORE_NOT_FOUND', key)
      return { ...object, size: object.body.length }
    })
  }

  put(key: string, body: Buffer | string, options: { ifNoneMatch?: '*' } = {}) {
    return this.#atomically(`put ${key}`, () => {
      if (this.#conditions && options.ifNoneMatch && this.bucket.objects.has(key)) {
        throw new MeiliHaError('STORE_CONFLICT', key)
      }
      const etag = `e${++this.bucket.writes}`
      this.bucket.objects.set(key, { body: Buffer.from(body), etag })
      return { etag }
    })
  }

  head(key: string) {
    return this.#atomically(`head ${key}`, () => this.#info(key))
  }

  list(prefix: string) {
    return this.#atomically(`list ${prefix}`, () =>
      [...this.bucket.objects.keys()]
        .filter((key) => key.startsWith(prefix))
        .map((key) => this.#info(key) as ObjectInfo),
    )
  }

  delete(key: string) {
    return this.#atomically(`delete ${key}`, () => void this.bucket.objects.delete(key))
  }

  listUploads(prefix: string) {
    return this.#atomically('listUploads', () =>
      this.bucket.uploads.filter(({ key }) => key.startsWith(prefix)),
    )
  }

  abortUpload(upload: UnfinishedUpload) {
    return this.#atomically(`abort ${upload.key}`, () => {
      this.bucket.uploads = this.bucket.uploads.filter((each) => each.uploadId !== upload.uploadId)
    })
  }

  putFile(): Promise<never> {
    return Promise.reject(new Error('the catalog uploads nothing'))
  }

  putStream(): Promise<never> {
    return Promise.reject(new Error('the catalog uploads nothing'))
  }

  close(): void {}

  #info(key: string): ObjectInfo | undefined {
    const object = this.bucket.objects.get(key)
    return object && { key, size: object.body.length, etag: object.etag }
  }
}
