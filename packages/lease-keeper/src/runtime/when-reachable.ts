import { setTimeout as sleep } from 'node:timers/promises'
import { isError, type MeiliHaError } from '@meili-ha/core/errors.ts'

const AGAIN_MS = 2000

/**
 * Opens what lives in a store that may be away just now. A keeper that ended instead would be started
 * again after a back-off that grows to minutes, and lead that much later. Whatever permit there is runs
 * out by itself meanwhile.
 * @param tell why it waits, after each try; undefined = it doesn't any more
 * @returns undefined as soon as `signal` aborts, also while a store lets it wait
 * @throws whatever says more than that the store is away
 */
export async function whenReachable<T>(
  open: () => Promise<T>,
  tell: (why: MeiliHaError | undefined) => void,
  signal: AbortSignal,
  againMs = AGAIN_MS,
): Promise<T | undefined> {
  const told = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  while (!signal.aborted) {
    try {
      const opened = await Promise.race([open(), told])
      if (opened !== undefined) tell(undefined)
      return opened
    } catch (error) {
      if (!isError(error, 'STORE_UNREACHABLE', 'LEASE_UNREACHABLE')) throw error
      tell(error)
    }
    await sleep(againMs, undefined, { signal }).catch(() => {})
  }
  return undefined
}
