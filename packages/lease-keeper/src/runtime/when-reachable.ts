import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { isError, type MeiliHaError } from '@meili-ha/core/errors.ts'

const AGAIN_MS = 2000

/**
 * Opens what lives in a store that may be away just now. A keeper that ended instead would be started
 * again after a back-off that grows to minutes, and lead that much later. Whatever permit there is runs
 * out by itself meanwhile.
 * @param tell called with why it waits, after each try, and with undefined once it doesn't any more
 * @returns undefined as soon as `signal` aborts, also while a store lets it wait
 * @throws whatever says more than that the store is away
 */
export async function whenReachable<T>(
  open: () => Promise<T>,
  log: Logger,
  tell: (why: MeiliHaError | undefined) => void,
  signal: AbortSignal,
  againMs = AGAIN_MS,
): Promise<T | undefined> {
  const told = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  let said: string | undefined
  while (!signal.aborted) {
    try {
      const opened = await Promise.race([open(), told])
      if (opened === undefined) return undefined
      tell(undefined)
      if (said !== undefined) log.info({ event: 'lease.reached' }, 'the store answers')
      return opened
    } catch (error) {
      if (!isError(error, 'STORE_UNREACHABLE', 'LEASE_UNREACHABLE')) throw error
      tell(error)
      const { code, hint, message } = error
      if (message !== said)
        log.warn({ event: 'lease.unreachable', code, hint }, `waits: ${message}`)
      said = message
    }
    await sleep(againMs, undefined, { signal }).catch(() => {})
  }
  return undefined
}
