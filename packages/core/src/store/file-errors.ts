import { type ErrorCode, MeiliHaError } from '../errors.ts'
import { DeadlineError } from './deadline.ts'

const CODES: Record<string, ErrorCode> = {
  ENOENT: 'STORE_NOT_FOUND',
  EACCES: 'STORE_DENIED',
  EPERM: 'STORE_DENIED',
  ABORT_ERR: 'CANCELLED',
  EROFS: 'STORE_DENIED',
  // What a network file system says when its server is away or was replaced.
  EIO: 'STORE_UNREACHABLE',
  ESTALE: 'STORE_UNREACHABLE',
  EHOSTDOWN: 'STORE_UNREACHABLE',
  ETIMEDOUT: 'STORE_UNREACHABLE',
  ENOTCONN: 'STORE_UNREACHABLE',
}

const HINTS: Record<string, string> = {
  ENOSPC: 'Free space where --store points, or lower --keep-last.',
  EDQUOT: 'Raise the quota where --store points, or lower --keep-last.',
}

/** What an error of the file system means for a store; `what` names the request. */
export function fileError(thrown: unknown, what: string): unknown {
  if (thrown instanceof MeiliHaError || !(thrown instanceof Error)) return thrown
  if (thrown instanceof DeadlineError) {
    return new MeiliHaError('STORE_UNREACHABLE', `${what}: ${thrown.message}`, { cause: thrown })
  }
  const remoteCode = (thrown as NodeJS.ErrnoException).code
  if (remoteCode === undefined) return thrown
  const hint = HINTS[remoteCode]
  return new MeiliHaError(CODES[remoteCode] ?? 'STORE_REFUSED', `${what}: ${thrown.message}`, {
    cause: thrown,
    remoteCode,
    ...(hint !== undefined && { hint }),
  })
}
