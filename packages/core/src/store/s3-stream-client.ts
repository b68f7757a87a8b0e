import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { MeiliHaError } from '../errors.ts'
import { putOnlyPart } from './s3-put.ts'
import type { S3Target } from './s3-requests.ts'
import { abortUpload, begin, complete, sendPart, type SentPart } from './s3-upload.ts'
import type { PutFileOptions, StoredFile } from './store.ts'

/**
 * As much of an S3Client as lib-storage's Upload needs for one stream. Its requests become ours, and
 * so get what Upload itself leaves out: a deadline and the policy of retry.ts for each, a signal
 * that reaches the parts too, the SHA-256 of each, and an object recognised when the answer to the
 * last step was lost.
 */
export class StreamClient {
  readonly config: S3Client['config']
  readonly #target: S3Target
  readonly #key: string
  readonly #options: PutFileOptions & { signal: AbortSignal }
  readonly #onFailure: (error: unknown) => void
  readonly #sent: SentPart[] = []
  #stored: StoredFile | undefined

  /**
   * @param key with the store's prefix.
   * @param onFailure told why before Upload is.
   */
  constructor(
    target: S3Target,
    key: string,
    options: PutFileOptions & { signal: AbortSignal },
    onFailure: (error: unknown) => void,
  ) {
    this.config = target.client.config
    this.#target = target
    this.#key = key
    this.#options = options
    this.#onFailure = onFailure
  }

  /** What the store holds now; undefined until the last step succeeded. */
  get stored(): StoredFile | undefined {
    return this.#stored
  }

  async send(command: object): Promise<object> {
    try {
      return await this.#send(command)
    } catch (error) {
      this.#onFailure(error)
      throw error
    }
  }

  async #send(command: object): Promise<object> {
    const [target, key, options] = [this.#target, this.#key, this.#options]
    if (command instanceof PutObjectCommand) {
      this.#stored = await putOnlyPart(target, key, command.input.Body as Buffer, options)
      return {}
    }
    if (command instanceof CreateMultipartUploadCommand) {
      return { UploadId: await begin(target, key, options) }
    }
    if (command instanceof UploadPartCommand) {
      const index = command.input.PartNumber! - 1
      const part = { index, bytes: command.input.Body as Buffer }
      const upload = { uploadId: command.input.UploadId!, stored: new Map() }
      return (this.#sent[index] = await sendPart(target, key, upload, part, options))
    }
    if (command instanceof CompleteMultipartUploadCommand) {
      this.#stored = await complete(target, key, command.input.UploadId!, this.#sent, options)
      return {}
    }
    if (command instanceof AbortMultipartUploadCommand) {
      // Best effort, as in s3-multipart.ts: why the upload failed matters more.
      await abortUpload(target, key, command.input.UploadId!).catch(() => {})
      return {}
    }
    throw new MeiliHaError('INTERNAL', `Upload sent a ${command.constructor.name}`)
  }
}
