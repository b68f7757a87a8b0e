import { constants, type BigIntStats } from 'node:fs'
import { lstat, open, type FileHandle } from 'node:fs/promises'
import { isError, MeiliHaError } from '@meili-ha/core/errors.ts'

/**
 * A snapshot file, held open: Meilisearch replaces the name by rename, so this descriptor goes on
 * reading the file it was opened on, and a rotation can't tear an upload.
 */
export interface SnapshotFile {
  handle: FileHandle
  path: string
  size: number
  modifiedAt: Date
  /** Inode, modification time and size: tells one snapshot under a name from the next. */
  identity: string
}

/**
 * Opens a snapshot. Undefined when there is none (yet).
 * @throws DATA_DIR_PERMISSION when it may not be read; to another uid also for the moment between
 * Meilisearch's rename (0600) and its chmod (0444). SNAPSHOT_FOREIGN when it is no regular file.
 */
export async function openSnapshot(path: string): Promise<SnapshotFile | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === 'EACCES' || code === 'EPERM') {
      throw new MeiliHaError('DATA_DIR_PERMISSION', `may not read ${path}`, { cause: error })
    }
    if (code === 'ELOOP') {
      throw new MeiliHaError('SNAPSHOT_FOREIGN', `${path} is a link`, { cause: error })
    }
    throw error
  }
  try {
    const stat = await handle.stat({ bigint: true })
    if (!stat.isFile()) throw new MeiliHaError('SNAPSHOT_FOREIGN', `${path} is not a file`)
    return {
      handle,
      path,
      size: Number(stat.size),
      modifiedAt: stat.mtime,
      identity: identityOf(stat),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** The identity of what lies under the name, readable or not; undefined when nothing does. */
export async function identityAt(path: string): Promise<string | undefined> {
  try {
    return identityOf(await lstat(path, { bigint: true }))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined
    throw error
  }
}

function identityOf({ ino, mtimeNs, size }: BigIntStats): string {
  return `${ino}:${mtimeNs}:${size}`
}

/** @throws SNAPSHOT_DAMAGED when the open file was written to since it was opened. */
export async function assertUnchanged(file: SnapshotFile): Promise<void> {
  const stat = await file.handle.stat({ bigint: true })
  if (identityOf(stat) === file.identity) return
  throw new MeiliHaError('SNAPSHOT_DAMAGED', `${file.path} was changed while it was read`, {
    hint: 'Copy a snapshot under another name and rename it into place.',
  })
}

/** True for what will look the same the next time: not worth another attempt on the same file. */
export function isFinal(error: unknown): boolean {
  return isError(error, 'SNAPSHOT_DAMAGED', 'SNAPSHOT_FOREIGN', 'SNAPSHOT_UNSAFE')
}
