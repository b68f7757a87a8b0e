import { isError, messageOf } from '@meili-ha/core/errors.ts'
import { LeaseError, type LeaseFailure } from './lease.ts'

/** What an error of a store means for a lease. Whatever isn't a definite no may have taken effect. */
export function storeLeaseError(error: unknown): LeaseError {
  if (error instanceof LeaseError) return error
  return new LeaseError(failureOf(error), messageOf(error), { cause: error })
}

function failureOf(error: unknown): LeaseFailure {
  if (isError(error, 'STORE_CONFLICT')) return 'conflict'
  if (isError(error, 'STORE_DENIED')) return 'denied'
  return 'unknown'
}
