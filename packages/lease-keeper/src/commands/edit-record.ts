import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { LeaseError, type LeaseBackend, type LeaseRecord } from '../lease/lease.ts'

const ATTEMPTS = 10

/**
 * Changes the lease record on a person's behalf: reads, changes, writes under the version that was
 * read, again while renewals come in between. Holder and epoch stay as they are.
 * @throws LEASE_UNUSABLE when there is no record; LEASE_UNREACHABLE
 */
export async function editRecord(
  lease: LeaseBackend,
  change: (record: LeaseRecord) => LeaseRecord,
): Promise<LeaseRecord> {
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await lease.read()
      if (!found) {
        throw new MeiliHaError('LEASE_UNUSABLE', `${lease.name} has no record yet`, {
          hint: 'Start a member with `lease-keeper run` first, and check --cluster.',
        })
      }
      return (await lease.update(change(found.record), found.version)).record
    } catch (error) {
      if (!(error instanceof LeaseError)) throw error
      if (error.failure === 'conflict' && attempt < ATTEMPTS) continue
      throw unreachable(lease, error)
    }
  }
}

/** The record, for those who only look. */
export async function readRecord(lease: LeaseBackend): Promise<LeaseRecord | undefined> {
  try {
    return (await lease.read())?.record
  } catch (error) {
    throw unreachable(lease, error)
  }
}

function unreachable(lease: LeaseBackend, error: unknown): unknown {
  if (!(error instanceof LeaseError)) return error
  return new MeiliHaError('LEASE_UNREACHABLE', `${lease.name}: ${error.message}`, { cause: error })
}
