import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { isError } from '@meili-ha/core/errors.ts'

const AGAIN_MS = 2000

/**
 * Opens what lives in a store that may be away just now. A keeper that ended instead would be started
 * again after a back-off that grows to minutes, and lead that much later. Whatever permit there is runs
 * out by itself meanwhile.
 * @returns undefined when `signal` was aborted first
 * @throws whatever says more than that the store is away
 */
export async function whenReachable<T>(
  open: () => Promise<T>,
  log: Logger,
  signal: AbortSignal,
  againMs = AGAIN_MS,
): Promise<T | undefined> {
  let waits = false
  while (!signal.aborted) {
    try {
      const opened = await open()
      if (waits) log.info({ event: 'lease.reached' }, 'the store answers')
      return opened
    } catch (error) {
      if (!isError(error, 'STORE_UNREACHABLE', 'LEASE_UNREACHABLE')) throw error
      const { code, hint, message } = error
      if (!waits) log.warn({ event: 'lease.unreachable', code, hint }, `waits: ${message}`)
      waits = true
    }
    await sleep(againMs, undefined, { signal }).catch(() => {})
  }
  return undefined
}
