import type { Readable } from 'node:stream'
import type { FileHandle } from 'node:fs/promises'

/** One object as LIST or HEAD shows it. */
export interface ObjectInfo {
  /** Relative to the store's prefix. */
  key: string
  /** Bytes. */
  size: number
  /** Opaque, unquoted; equal only for the same write of the same key. Never an MD5. */
  etag: string
}

export interface GetOptions {
  /** Bytes `start` to `end`, both inclusive. */
  range?: { start: number; end: number }
  /** Fails with STORE_CONFLICT when the object is no longer this one. */
  ifMatch?: string
  /** Reads the body into this buffer, which must be large enough, and returns a view of it. */
  into?: Buffer
  signal?: AbortSignal
}

export interface PutOptions {
  /** Create only: STORE_CONFLICT if the key exists. Not honoured by every store (`uploader check`). */
  ifNoneMatch?: '*'
  /** Replace only this version: STORE_CONFLICT otherwise. */
  ifMatch?: string
  /** Overrides the retry policy; leases send once and then read back. */
  retries?: number
  /** Milliseconds for one attempt, body included. */
  timeoutMs?: number
  signal?: AbortSignal
}

export interface PutFileOptions {
  /** Bytes of one part; see partSizeFor. */
  partSize: number
  /** Called once per part with what is now stored, in no particular order. */
  onPart?: (part: { index: number; bytes: number; reused: boolean }) => void
  signal?: AbortSignal
}

export interface StoredFile {
  etag: string
  size: number
  /** Hex SHA-256 of every part, in order. */
  parts: string[]
}

/** An open file, as far as an upload needs it: read by position, up to a size that is known. */
export interface SizedFile {
  handle: Pick<FileHandle, 'read'>
  /** Bytes. */
  size: number
}

/** A multipart upload (or temporary file) that was begun and neither finished nor aborted. */
export interface UnfinishedUpload {
  key: string
  uploadId: string
}

/**
 * Where snapshots are kept. Keys are relative to the prefix, with `/` between segments.
 * Every call has a deadline that covers its body, is retried by the policy in retry.ts, and
 * throws MeiliHaError: STORE_UNREACHABLE, STORE_DENIED, STORE_NO_BUCKET, STORE_NOT_FOUND,
 * STORE_CONFLICT, STORE_CHECKSUM or STORE_REFUSED, with the store's own code as `remoteCode`.
 */
export interface Store {
  /** For people and logs: `s3://bucket/prefix` or `file:///dir`. Holds no credential. */
  readonly url: string
  /** `size` is that of the whole object, whatever the range. */
  get(key: string, options?: GetOptions): Promise<{ body: Buffer; etag: string; size: number }>
  /**
   * A retried create or replace can meet what its own first attempt wrote, when only the answer was
   * lost, and then reports STORE_CONFLICT: read and compare.
   */
  put(key: string, body: Buffer | string, options?: PutOptions): Promise<{ etag: string }>
  /**
   * Uploads an open file of known size in parts; resumes what is unfinished of the same key (s3) or
   * begins anew and removes it (file). It is left unfinished (s3) when this throws CANCELLED or
   * STORE_UNREACHABLE, to be resumed or aborted; after any other error nothing is left behind.
   */
  putFile(key: string, file: SizedFile, options: PutFileOptions): Promise<StoredFile>
  /**
   * Uploads a stream of unknown length, and destroys it in the end; `parts` are digests of `partSize`
   * bytes each. When this throws, nothing is left behind: nobody could send that stream again.
   */
  putStream(key: string, stream: Readable, options: PutFileOptions): Promise<StoredFile>
  /** Undefined when there is no such object. */
  head(key: string): Promise<ObjectInfo | undefined>
  /** All objects whose key starts with `prefix`, in no particular order. */
  list(prefix: string): Promise<ObjectInfo[]>
  /** No error when it isn't there. */
  delete(key: string): Promise<void>
  /** MinIO shows only uploads whose key is exactly `prefix`. */
  listUploads(prefix: string): Promise<UnfinishedUpload[]>
  abortUpload(upload: UnfinishedUpload): Promise<void>
  close(): void
}
