import { DatabaseSync } from 'node:sqlite'
import { MeiliHaError } from '../errors.ts'
import type { StoreClock } from './deadline.ts'

/** SQLite's result code for a database that somebody else has locked. */
const BUSY = 5

/** Upper bound of one wait for a lock: replacing a small file takes a few milliseconds. */
const POLL_MS = 10

export interface LockOptions {
  timeoutMs: number
  clock: StoreClock
  /** Ends the waiting, never what runs under the lock. */
  signal: AbortSignal | undefined
}

/**
 * Runs `act` while holding the lock file at `path`, across processes, containers and PID
 * namespaces. Node has no flock, but SQLite brings the kernel's own locks on a file: they end with
 * the process, however it ends, and a stopped process keeps them. An empty database that nobody
 * ever writes to is all that is needed.
 * @throws STORE_UNREACHABLE when the holder (stopped, or stuck on its disk) keeps it for `timeoutMs`.
 */
export async function withFileLock<T>(
  path: string,
  { timeoutMs, clock, signal }: LockOptions,
  act: () => Promise<T>,
): Promise<T> {
  // SQLite's own waiting would block the event loop.
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    // Its journal would otherwise be a file: nothing could be locked, nor pruned, on a full disk.
    database.exec('PRAGMA journal_mode = MEMORY')
    for (let waited = 0; !tryLock(database);) {
      if (waited >= timeoutMs) {
        throw new MeiliHaError(
          'STORE_UNREACHABLE',
          `another process has held ${path} for ${timeoutMs} ms`,
          { hint: 'Look for a stopped process that uses this store (`fuser` on that file).' },
        )
      }
      const wait = 1 + clock.random() * POLL_MS
      await clock.sleep(wait, signal)
      waited += wait
    }
    return await act()
  } finally {
    database.close()
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN IMMEDIATE')
    return true
  } catch (error) {
    if ((error as { errcode?: number }).errcode === BUSY) return false
    throw error
  }
}
