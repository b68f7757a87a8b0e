import { access, chmod, constants, writeFile } from 'node:fs/promises'
import { isError, MeiliHaError } from '../errors.ts'
import { REAL_CLOCK, type StoreClock } from '../store/deadline.ts'
import { makeDirectory } from '../store/file-durable.ts'
import { withFileLock } from '../store/file-lock.ts'
import type { DataPaths } from './paths.ts'

/** Long enough for a killed fetcher's lock to be gone, and for one that was just told to stop. */
const PATIENCE_MS = 5000

/**
 * Runs `act` as the only fetcher at work on a data directory. Two that unpack into the same `.next`
 * take each other's half for their own [a half-written directory was moved in, and called restored].
 * The lock is the kernel's, on an empty file beside the directory, and ends with the process.
 * @throws DATA_DIR_IN_USE, CANCELLED; whatever `act` throws
 */
export async function withSoleUse<T>(
  paths: DataPaths,
  signal: AbortSignal,
  act: () => Promise<T>,
  clock: StoreClock = REAL_CLOCK,
): Promise<T> {
  // Who can make nothing beside the directory can't replace it either: but it may be good as it is.
  if (!(await hasLockFile(paths))) return act()
  let acting = false
  const options = { timeoutMs: PATIENCE_MS, clock, signal }
  const began = () => {
    acting = true
    return act()
  }
  try {
    return await withFileLock(paths.lock, options, began)
  } catch (error) {
    if (acting) throw error
    if (signal.aborted) throw new MeiliHaError('CANCELLED', 'was told to stop', { cause: error })
    // A volume that can't lock can't hold LMDB either: whatever is wrong there is better said by `act`.
    if (!isError(error, 'STORE_UNREACHABLE')) return act()
    const message = `another fetcher is at work on ${paths.live}`
    throw new MeiliHaError('DATA_DIR_IN_USE', message, { cause: error })
  }
}

/** Makes it for every uid: what a person once did as root mustn't lock out the member for good. */
async function hasLockFile({ parent, lock }: DataPaths): Promise<boolean> {
  try {
    await makeDirectory(parent)
    await writeFile(lock, '', { flag: 'wx' })
    await chmod(lock, 0o666)
    return true
  } catch {
    // Never opened when it is there: closing it would end a lock that this process holds on it.
    return access(lock, constants.R_OK | constants.W_OK).then(
      () => true,
      () => false,
    )
  }
}
