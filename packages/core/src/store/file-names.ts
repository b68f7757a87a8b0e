import { createHash, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { checkKey, HIDDEN } from './check-key.ts'
import type { UnfinishedUpload } from './store.ts'

/**
 * Where things are in the directory of a file:// store: objects at their keys, and below
 * `.meili-ha` what LIST doesn't show.
 */
export class FileNames {
  readonly root: string
  /** Files being written: on the same file system, so that a rename puts them in place. */
  readonly uploads: string
  readonly locks: string

  constructor(root: string) {
    this.root = root
    this.uploads = join(root, HIDDEN, 'uploads')
    this.locks = join(root, HIDDEN, 'locks')
  }

  object(key: string): string {
    return join(this.root, checkKey(key))
  }

  upload({ key, uploadId }: UnfinishedUpload): string {
    return join(this.uploads, `${encodeURIComponent(checkKey(key))}~${uploadId}`)
  }

  /** A name of its own for one write of a key. */
  newUpload(key: string, kind: 'put' | 'file'): UnfinishedUpload {
    return { key, uploadId: `${kind}-${randomUUID()}` }
  }

  /** Undefined for a file that isn't ours. */
  parseUpload(name: string): UnfinishedUpload | undefined {
    const match = /^(.+)~((?:put|file)-[0-9a-f-]{36})$/.exec(name)
    return match ? { key: decodeURIComponent(match[1]!), uploadId: match[2]! } : undefined
  }

  /**
   * One of 256 lock files: a lock file can't be removed safely, so one per key would pile up. Keys
   * that share one wait for each other, for the milliseconds that a rename takes.
   */
  lock(key: string): string {
    return join(this.locks, createHash('sha256').update(key).digest('hex').slice(0, 2))
  }
}
