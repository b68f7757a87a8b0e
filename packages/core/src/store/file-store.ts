import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { checkPrefix } from './check-key.ts'
import { deadlineFor, SMALL_REQUEST_MS, type StoreClock, withDeadline } from './deadline.ts'
import { fileError } from './file-errors.ts'
import { FileNames } from './file-names.ts'
import { listObjects, readObject, statObject } from './file-read.ts'
import { ifAbsent, removeObject, writeObject } from './file-write.ts'
import { type PartReader, readParts, streamParts } from './part-reader.ts'
import type {
  GetOptions,
  ObjectInfo,
  PutFileOptions,
  PutOptions,
  SizedFile,
  Store,
  StoredFile,
  UnfinishedUpload,
} from './store.ts'

interface Limits {
  timeoutMs?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * A directory as a store: what an S3 store promises, kept by the file system, for any number of
 * processes. The directory is made by the first write. Nothing is retried: a file system answers
 * for good, or not at all.
 */
export class FileStore implements Store {
  readonly url: string
  readonly #names: FileNames
  readonly #clock: StoreClock

  constructor(directory: string, clock: StoreClock) {
    this.url = pathToFileURL(directory).href
    this.#names = new FileNames(directory)
    this.#clock = clock
  }

  async get(key: string, options: GetOptions = {}) {
    const path = this.#names.object(key)
    const { signal, into } = options
    const timeoutMs = deadlineFor(into?.length ?? 0)
    return this.#request('GET', key, { timeoutMs, signal }, () => readObject(path, options))
  }

  async put(key: string, body: Buffer | string, options: PutOptions = {}) {
    const upload = this.#names.newUpload(key, 'put')
    const timeoutMs = options.timeoutMs ?? deadlineFor(body.length)
    return this.#request('PUT', key, { timeoutMs, signal: options.signal }, async (signal) => {
      const fill = (file: FileHandle) => file.writeFile(body)
      const condition = { ...options, signal }
      return { etag: await writeObject(this.#names, upload, condition, this.#clock, fill) }
    })
  }

  async putFile(key: string, file: SizedFile, options: PutFileOptions) {
    return this.#putParts(key, readParts(file), options)
  }

  async putStream(key: string, stream: Readable, options: PutFileOptions) {
    try {
      return await this.#putParts(key, streamParts(stream, options.signal), options)
    } finally {
      stream.destroy()
    }
  }

  /**
   * Begins anew where an unfinished upload of the key is found, and removes that one: comparing it
   * would cost as much as writing it, and a frozen process may still be writing into it.
   */
  async #putParts(key: string, next: PartReader, options: PutFileOptions): Promise<StoredFile> {
    const { partSize, onPart, signal } = options
    for (const upload of await this.listUploads(key)) {
      if (upload.key === key && upload.uploadId.startsWith('file-')) await this.abortUpload(upload)
    }
    const parts: string[] = []
    let size = 0
    const fill = async (file: FileHandle) => {
      const buffer = Buffer.allocUnsafeSlow(partSize)
      for (let part = await next(buffer); part; part = await next(buffer)) {
        const { index, bytes } = part
        parts.push(createHash('sha256').update(bytes).digest('hex'))
        const limits = { timeoutMs: deadlineFor(bytes.length), signal }
        await this.#request('PUT', key, limits, () => file.writeFile(bytes))
        size += bytes.length
        onPart?.({ index, bytes: bytes.length, reused: false })
      }
    }
    const upload = this.#names.newUpload(key, 'file')
    try {
      const etag = await writeObject(
        this.#names,
        upload,
        signal ? { signal } : {},
        this.#clock,
        fill,
      )
      return { etag, size, parts }
    } catch (error) {
      throw fileError(error, `PUT ${this.url}/${key}`)
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const path = this.#names.object(key)
    return this.#request('HEAD', key, {}, () => statObject(path, key))
  }

  async list(prefix: string): Promise<ObjectInfo[]> {
    checkPrefix(prefix)
    return this.#request('LIST', prefix, {}, () => listObjects(this.#names.root, prefix))
  }

  async delete(key: string): Promise<void> {
    return this.#request('DELETE', key, {}, (signal) =>
      removeObject(this.#names, key, this.#clock, signal),
    )
  }

  async listUploads(prefix: string): Promise<UnfinishedUpload[]> {
    checkPrefix(prefix)
    return this.#request('LIST uploads', prefix, {}, async () => {
      const names = (await readdir(this.#names.uploads).catch(ifAbsent)) ?? []
      return names
        .map((name) => this.#names.parseUpload(name))
        .filter((upload) => upload !== undefined)
        .filter((upload) => upload.key.startsWith(prefix))
    })
  }

  async abortUpload(upload: UnfinishedUpload): Promise<void> {
    const path = this.#names.upload(upload)
    return this.#request('ABORT', upload.key, {}, () => rm(path, { force: true }))
  }

  close(): void {}

  /**
   * One request under its deadline, its errors mapped. A write that is late goes on by itself, as
   * one whose answer was lost would: it may still take effect, and lets go of its lock only then.
   */
  async #request<T>(
    verb: string,
    key: string,
    { timeoutMs = SMALL_REQUEST_MS, signal }: Limits,
    act: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await withDeadline(timeoutMs, signal, this.#clock, act)
    } catch (error) {
      throw fileError(error, `${verb} ${this.url}/${key}`)
    }
  }
}
