import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { proveLocking } from '@meili-ha/core/store/prove-locking.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { FileLease } from './file-lease.ts'
import type { LeaseBackend } from './lease.ts'
import { StoreLease, type StoreLeaseOptions } from './store-lease.ts'

/**
 * The lease of a store, once the store has proved that it can lock: some take conditional writes and
 * ignore the condition, and some let several racing writers win.
 * @throws what a LIST throws, when it can't be tried
 * @throws LEASE_UNREACHABLE when the store went away half-way through the proof
 * @throws LEASE_UNUSABLE naming each property that doesn't hold
 */
export async function openStoreLease(
  store: Store,
  options: StoreLeaseOptions,
): Promise<LeaseBackend> {
  // A store that is away, or doesn't know us, says nothing about whether it can lock: this throws
  // what is the matter. LIST and not HEAD, whose refusals have no body and can look like an absence.
  await store.list(StoreLease.KEY)
  const failed = (await proveLocking(store)).filter(({ result }) => result !== 'ok')
  if (failed.length > 0) {
    const rows = failed.map(({ name, detail }) => (detail ? `${name}: ${detail}` : name))
    const hint = failed.find((row) => row.hint !== undefined)?.hint
    // A connection that broke half-way through proves nothing: to be tried again, not looked at.
    const disproved = failed.some(({ result, unreachable }) => result === 'failed' && !unreachable)
    const lost = !disproved && failed.some((row) => row.unreachable)
    const code = lost ? 'LEASE_UNREACHABLE' : 'LEASE_UNUSABLE'
    throw new MeiliHaError(code, `${store.url} can't lock: ${rows.join('; ')}`, {
      ...(hint !== undefined && { hint }),
    })
  }
  return storeLease(store, options)
}

/** The lease of a store without proof: for those who only read it. */
export function storeLease(store: Store, options: StoreLeaseOptions): LeaseBackend {
  return store.url.startsWith('file:')
    ? new FileLease(store, options)
    : new StoreLease(store, options)
}
