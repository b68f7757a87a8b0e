import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { isError, MeiliHaError } from '../errors.ts'
import { checkKey, checkPrefix } from './check-key.ts'
import { deadlineFor, type StoreClock } from './deadline.ts'
import { PartBuffers } from './part-buffers.ts'
import { type PartReader, readParts } from './part-reader.ts'
import { expectedLength, readBody } from './s3-body.ts'
import { createS3Client } from './s3-client.ts'
import { IN_FLIGHT, type Source, uploadParts } from './s3-multipart.ts'
import { putObject, putOnlyPart } from './s3-put.ts'
import { Checksums, request, type S3Target, toBase64, unquote } from './s3-requests.ts'
import { findResumable, listUploads } from './s3-resume.ts'
import { uploadStream } from './s3-stream.ts'
import { abortUpload } from './s3-upload.ts'
import type { StoreOptions } from './store-options.ts'
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

/** Objects of one bucket below a prefix. See Store for what the methods promise. */
export class S3Store implements Store {
  readonly url: string
  readonly #target: S3Target
  /** Empty, or ends in a slash. */
  readonly #prefix: string
  readonly #buffers = new PartBuffers()

  /** @param location prefix without slashes at its ends, possibly empty. */
  constructor(
    location: { bucket: string; prefix: string },
    options: StoreOptions,
    clock: StoreClock,
  ) {
    const { bucket, prefix } = location
    this.url = `s3://${bucket}${prefix && `/${prefix}`}`
    this.#prefix = prefix && `${prefix}/`
    const client = createS3Client(options)
    this.#target = { client, bucket, options, clock, checksums: new Checksums(options.checksums) }
  }

  async get(key: string, options: GetOptions = {}) {
    const { range, ifMatch, into, signal } = options
    const { client, checksums } = this.#target
    const what = this.#what('GET', key)
    const input = {
      ...this.#where(key),
      ...(range && { Range: `bytes=${range.start}-${range.end}` }),
      ...(ifMatch !== undefined && { IfMatch: `"${ifMatch}"` }),
      // Of a whole object the SDK then checks what the store has kept.
      ...(!range && checksums.on && { ChecksumMode: 'ENABLED' as const }),
    }
    const timeoutMs = deadlineFor(range ? range.end - range.start + 1 : (into?.length ?? 0))
    return request(this.#target, { what, timeoutMs, signal }, async (abort) => {
      const answer = await client.send(new GetObjectCommand(input), abort)
      const stream = answer.Body as Readable
      const expected = expectedLength(range, answer.ContentRange, answer.ContentLength)
      const body = await readBody(stream, expected.length, into, abort.abortSignal)
      return { body, etag: unquote(answer.ETag), size: expected.size ?? body.length }
    })
  }

  async put(key: string, body: Buffer | string, options: PutOptions = {}) {
    try {
      return await putObject(this.#target, this.#full(key), Buffer.from(body), options)
    } catch (error) {
      // S3 answers 404 when there is nothing to match; it is the same no.
      if (options.ifMatch === undefined || !isError(error, 'STORE_NOT_FOUND')) throw error
      throw new MeiliHaError('STORE_CONFLICT', `${this.#what('PUT', key)}: it is gone`, {
        cause: error,
      })
    }
  }

  async putFile(key: string, file: SizedFile, options: PutFileOptions): Promise<StoredFile> {
    const resume = () => findResumable(this.#target, this.#full(key), options.signal)
    try {
      return await this.#putParts(key, readParts(file), options, resume)
    } catch (error) {
      // The upload was aborted under us (a sweep, a rule of the bucket) or lost a race: once more.
      if (!isError(error, 'STORE_NOT_FOUND', 'STORE_CONFLICT')) throw error
      return this.#putParts(key, readParts(file), options)
    }
  }

  /** What fits into one part is one request; `resume` looks for an unfinished upload otherwise. */
  async #putParts(
    key: string,
    next: PartReader,
    options: PutFileOptions,
    resume?: () => ReturnType<typeof findResumable>,
  ): Promise<StoredFile> {
    const buffers = this.#buffers.take(IN_FLIGHT, options.partSize)
    const first = (await next(buffers[0]!)) ?? { index: 0, bytes: Buffer.alloc(0) }
    const source: Source = { key: this.#full(key), buffers, first, next }
    const stored =
      first.bytes.length < options.partSize
        ? await putOnlyPart(this.#target, source.key, first.bytes, options)
        : await uploadParts(this.#target, source, options, await resume?.())
    this.#buffers.keep(buffers)
    return stored
  }

  async putStream(key: string, stream: Readable, options: PutFileOptions): Promise<StoredFile> {
    return uploadStream(this.#target, this.#full(key), stream, options)
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const input = this.#where(key)
    try {
      const answer = await request(this.#target, { what: this.#what('HEAD', key) }, (abort) =>
        this.#target.client.send(new HeadObjectCommand(input), abort),
      )
      return { key, size: answer.ContentLength ?? 0, etag: unquote(answer.ETag) }
    } catch (error) {
      if (isError(error, 'STORE_NOT_FOUND')) return undefined
      throw error
    }
  }

  async list(prefix: string): Promise<ObjectInfo[]> {
    const what = this.#what('LIST', checkPrefix(prefix))
    const where = { Bucket: this.#target.bucket, Prefix: this.#prefix + prefix }
    const found: ObjectInfo[] = []
    let token: string | undefined
    do {
      const input = { ...where, ...(token !== undefined && { ContinuationToken: token }) }
      const page = await request(this.#target, { what }, (abort) =>
        this.#target.client.send(new ListObjectsV2Command(input), abort),
      )
      for (const { Key, Size, ETag } of page.Contents ?? []) {
        // Consoles mark "folders" with empty objects whose key ends in a slash.
        if (Key === undefined || Size === undefined || Key.endsWith('/')) continue
        found.push({ key: Key.slice(this.#prefix.length), size: Size, etag: unquote(ETag) })
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (token !== undefined)
    return found
  }

  async delete(key: string): Promise<void> {
    const input = this.#where(key)
    try {
      await request(this.#target, { what: this.#what('DELETE', key) }, (abort) =>
        this.#target.client.send(new DeleteObjectCommand(input), abort),
      )
    } catch (error) {
      if (!isError(error, 'STORE_NOT_FOUND')) throw error
    }
  }

  async listUploads(prefix: string): Promise<UnfinishedUpload[]> {
    const uploads = await listUploads(this.#target, this.#prefix + checkPrefix(prefix))
    return uploads.map(({ key, uploadId }) => ({ key: key.slice(this.#prefix.length), uploadId }))
  }

  async abortUpload({ key, uploadId }: UnfinishedUpload): Promise<void> {
    return abortUpload(this.#target, this.#full(key), uploadId)
  }

  /** Sends a body that its checksum does not fit: resolves if the store took it all the same. */
  async putDamaged(key: string): Promise<void> {
    const wrong = toBase64(createHash('sha256').update('what was sent').digest('hex'))
    const input = { ...this.#where(key), Body: Buffer.from('what arrived'), ChecksumSHA256: wrong }
    await request(this.#target, { what: this.#what('PUT', key), retries: 0 }, (abort) =>
      this.#target.client.send(new PutObjectCommand(input), abort),
    )
  }

  close(): void {
    this.#target.client.destroy()
  }

  #full(key: string): string {
    return this.#prefix + checkKey(key)
  }

  #where(key: string) {
    return { Bucket: this.#target.bucket, Key: this.#full(key) }
  }

  #what(verb: string, key: string): string {
    return `${verb} ${this.url}/${key}`
  }
}
