import { constants } from 'node:fs'
import { chmod, mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MeiliHaError } from '../errors.ts'
import { BackgroundSync, syncDirectory } from './background-sync.ts'
import { DiskBudget, freeBytesOf } from './disk-budget.ts'
import { readSnapshot, type SnapshotReadOptions, type SnapshotReport } from './snapshot-stream.ts'

export interface UnpackOptions extends SnapshotReadOptions {
  /** Bytes that must stay free on the volume, for Meilisearch to work with; 256 MiB unless told. */
  reserveBytes?: number
  /** What the manifest says it unpacks to: refused at once, and not half-way, when it can't fit. */
  expectedBytes?: number
  /** Bytes free on the volume that holds a path; statfs unless told. */
  freeBytes?: (path: string) => Promise<number>
}

const DEFAULT_RESERVE_BYTES = 256 * 1024 * 1024

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** Nobody but the owner writes, and no special bits; the owner always may. */
const fileMode = (mode: number) => (mode & 0o644) | 0o600
const directoryMode = (mode: number) => (mode & 0o755) | 0o700

/**
 * Unpacks a snapshot (its compressed bytes, in order) into the new directory `into`, whose parent
 * must exist. When it returns, every file and directory in it is whole and synced to disk, `into`
 * too; its *name* is the caller's to sync, with the parent, after the rename. When it throws, what lies
 * there is worth nothing and is left for the caller to remove.
 * @throws SNAPSHOT_DAMAGED, SNAPSHOT_FOREIGN, SNAPSHOT_UNSAFE, DISK_FULL, CANCELLED,
 * DATA_DIR_PERMISSION; whatever `source` throws
 */
export async function unpackSnapshot(
  source: AsyncIterable<Buffer>,
  into: string,
  options: UnpackOptions = {},
): Promise<SnapshotReport> {
  const { freeBytes = freeBytesOf, reserveBytes = DEFAULT_RESERVE_BYTES } = options
  const budget = new DiskBudget(() => freeBytes(dirname(into)), reserveBytes)
  const syncs = new BackgroundSync()
  const directories: string[] = [into]
  let file: { handle: FileHandle; mode: number; size: number; end: number } | undefined
  try {
    await budget.require(options.expectedBytes ?? 0)
    await mkdir(into, { mode: 0o700 })
    for await (const event of readSnapshot(source, options)) {
      switch (event.kind) {
        case 'directory': {
          const path = join(into, event.name)
          if (event.name !== '') {
            await mkdir(path)
            directories.push(path)
          }
          await chmod(path, directoryMode(event.mode))
          break
        }
        case 'file':
          await budget.require(event.size)
          file = {
            handle: await open(join(into, event.name), NEW_FILE, 0o600),
            mode: fileMode(event.mode),
            size: event.size,
            end: 0,
          }
          break
        case 'data':
          if (!file) break
          await budget.spend(event.bytes.length)
          await writeAll(file.handle, event.bytes, event.position)
          file.end = event.position + event.bytes.length
          await syncs.written(file.handle, event.bytes.length)
          break
        case 'file-end': {
          if (!file) break
          const { handle, mode, size, end } = file
          file = undefined
          await syncs.finish(handle, async () => {
            if (end < size) await handle.truncate(size)
            await handle.chmod(mode)
          })
          break
        }
        case 'end':
          await syncs.drain()
          // Deepest first, so that a name on disk never leads to a directory that isn't.
          for (const path of directories.toReversed()) await syncDirectory(path)
          return event.report
      }
    }
    throw new MeiliHaError('INTERNAL', 'a snapshot ended without a verdict')
  } catch (error) {
    throw asDiskError(error, into)
  } finally {
    await file?.handle.close()
    await syncs.abandon()
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten
  }
}

/** The errors of the disk that a person can act on, in our words. */
function asDiskError(error: unknown, into: string): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  const options = { cause: error, ...(code && { remoteCode: code }) }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new MeiliHaError('DISK_FULL', `the volume of ${into} is full`, options)
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new MeiliHaError('DATA_DIR_PERMISSION', `${into} can't be written`, options)
  }
  return error
}
