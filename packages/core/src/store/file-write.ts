import { link, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { FileHandle } from 'node:fs/promises'
import { MeiliHaError } from '../errors.ts'
import type { StoreClock } from './deadline.ts'
import { makeDirectory, syncDirectory } from './file-durable.ts'
import { etagOf, stampVersion } from './file-etag.ts'
import { withFileLock } from './file-lock.ts'
import type { FileNames } from './file-names.ts'
import type { PutOptions, UnfinishedUpload } from './store.ts'

/** What must be true for a write to take effect; an aborted one stops waiting for its lock. */
type Condition = Pick<PutOptions, 'ifNoneMatch' | 'ifMatch' | 'signal'>

/** How long one waits for another process that is writing the same key. */
const LOCK_MS = 8_000

/**
 * Writes an object so that it is there whole and durable, or not at all: into a file of its own,
 * fsync, link or rename to the key, fsync of the directory.
 * @param fill writes the content.
 * @returns the ETag of this write.
 */
export async function writeObject(
  names: FileNames,
  upload: UnfinishedUpload,
  condition: Condition,
  clock: StoreClock,
  fill: (file: FileHandle) => Promise<void>,
): Promise<string> {
  const { key } = upload
  const temporary = names.upload(upload)
  const path = names.object(key)
  await makeDirectory(names.uploads)
  await makeDirectory(dirname(path))
  try {
    const etag = await fillFile(temporary, clock, fill)
    if (condition.ifNoneMatch) await create(temporary, path)
    else await underLock(names, key, clock, condition, () => replace(temporary, path, condition))
    await syncDirectory(dirname(path))
    return etag
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Removes an object; none is fine. */
export async function removeObject(
  names: FileNames,
  key: string,
  clock: StoreClock,
  signal: AbortSignal,
): Promise<void> {
  const path = names.object(key)
  // Nothing is made for a key that was never there, least of all the store itself.
  if (!(await stat(path).catch(ifAbsent))) return
  await underLock(names, key, clock, { signal }, async () => {
    await rm(path, { force: true })
    await syncDirectory(dirname(path))
  })
}

async function fillFile(
  path: string,
  clock: StoreClock,
  fill: (file: FileHandle) => Promise<void>,
): Promise<string> {
  const file = await open(path, 'wx')
  try {
    await fill(file)
    await stampVersion(file, Date.now(), clock.random)
    await file.sync()
    return etagOf(await file.stat({ bigint: true }))
  } finally {
    await file.close()
  }
}

/** link(2) makes a name only if there is none: the kernel's own If-None-Match. */
async function create(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw conflict('the object exists')
  }
}

/** Comparing and renaming are two steps: every replacement of a key takes the key's lock. */
async function replace(
  temporary: string,
  path: string,
  { ifMatch, signal }: Condition,
): Promise<void> {
  signal?.throwIfAborted()
  if (ifMatch !== undefined) {
    const current = await stat(path, { bigint: true }).catch(ifAbsent)
    if (!current || etagOf(current) !== ifMatch) {
      throw conflict('the object is no longer the one it was')
    }
  }
  await rename(temporary, path)
}

function conflict(what: string): MeiliHaError {
  return new MeiliHaError('STORE_CONFLICT', what, { remoteCode: 'PreconditionFailed' })
}

async function underLock(
  names: FileNames,
  key: string,
  clock: StoreClock,
  { signal }: { signal?: AbortSignal },
  act: () => Promise<void>,
): Promise<void> {
  await makeDirectory(names.locks)
  await withFileLock(names.lock(key), { timeoutMs: LOCK_MS, clock, signal }, act)
}

/** For catch: a missing file is undefined, any other error stays one. */
export function ifAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw error
}
