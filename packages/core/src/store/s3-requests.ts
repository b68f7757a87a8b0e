import type { S3Client } from '@aws-sdk/client-s3'
import { type StoreClock } from './deadline.ts'
import { judgeS3Error } from './s3-errors.ts'
import { retry, type RetryOptions } from './retry.ts'
import type { StoreOptions } from './store-options.ts'

/** Where objects go and what every request shares. */
export interface S3Target {
  client: S3Client
  bucket: string
  options: StoreOptions
  checksums: Checksums
  clock: StoreClock
}

/** `what` names the request for people: `PUT s3://bucket/key`. */
export type RequestOptions = Omit<RetryOptions, 'judge'> & { what: string }

/** Sends one request under its deadline and the retry policy, and maps its errors. */
export function request<T>(
  target: S3Target,
  options: RequestOptions,
  send: (abort: { abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const judge = (error: unknown) => judgeS3Error(error, options.what)
  return retry((abortSignal) => send({ abortSignal }), { ...options, judge }, target.clock)
}

/** The parameters of server-side encryption, for requests that create something. */
export function encryption({ sse, sseKmsKeyId }: StoreOptions) {
  return {
    ...(sse && { ServerSideEncryption: sse }),
    ...(sseKmsKeyId && { SSEKMSKeyId: sseKmsKeyId }),
  }
}

/** How stores that know no SHA-256 checksums say so. */
const REFUSALS = new Set(['NotImplemented', 'InvalidRequest', 'InvalidArgument'])

/** Whether uploads carry SHA-256 checksums; found out by trying when it may be. */
export class Checksums {
  #on: boolean
  readonly #mayFallBack: boolean

  constructor(mode: StoreOptions['checksums']) {
    this.#on = mode !== 'off'
    this.#mayFallBack = mode === 'auto'
  }

  get on(): boolean {
    return this.#on
  }

  /** Calls `send(true)`, and `send(false)` if that was refused; remembers which one worked. */
  async try<T>(send: (withChecksum: boolean) => Promise<T>): Promise<T> {
    if (!this.#on) return send(false)
    try {
      return await send(true)
    } catch (error) {
      const { remoteCode } = error as { remoteCode?: string }
      if (!this.#mayFallBack || !REFUSALS.has(remoteCode ?? '')) throw error
      const result = await send(false)
      this.#on = false
      return result
    }
  }
}

/** Digests as the two places want them: hex in manifests, base64 in headers. */
export function toBase64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64')
}

/** `"abc"` and `abc` are the same ETag; ours are unquoted. */
export function unquote(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '')
}
