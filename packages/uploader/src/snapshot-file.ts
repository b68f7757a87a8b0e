import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
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
 * Opens a snapshot. Undefined when there is none (yet), or when it can't be read yet: Meilisearch
 * creates it 0600 and makes it readable only after the rename.
 * @throws DATA_DIR_PERMISSION after `patienceMs` of that.
 */
export async function openSnapshot(path: string): Promise<SnapshotFile | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
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
      identity: `${stat.ino}:${stat.mtimeNs}:${stat.size}`,
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** @throws SNAPSHOT_DAMAGED when the open file was written to since it was opened. */
export async function assertUnchanged(file: SnapshotFile): Promise<void> {
  const stat = await file.handle.stat({ bigint: true })
  if (`${stat.ino}:${stat.mtimeNs}:${stat.size}` === file.identity) return
  throw new MeiliHaError('SNAPSHOT_DAMAGED', `${file.path} was changed while it was read`, {
    hint: 'Copy a snapshot under another name and rename it into place.',
  })
}

/** True for what will look the same the next time: not worth another attempt on the same file. */
export function isFinal(error: unknown): boolean {
  return isError(error, 'SNAPSHOT_DAMAGED', 'SNAPSHOT_FOREIGN', 'SNAPSHOT_UNSAFE')
}
