import { MeiliHaError, type ErrorCode } from '../errors.ts'
import { DeadlineError } from './deadline.ts'
import type { Verdict } from './retry.ts'

/** Bad luck that comes with a 4xx: a stalled body, a clock that the SDK corrects after the first no. */
const TRY_AGAIN = new Set(['RequestTimeout', 'RequestTimeTooSkewed', 'SlowDown', 'Throttling'])

/** The body that arrived is not the one that was sent. */
const DAMAGED = new Set(['BadDigest', 'XAmzContentSHA256Mismatch', 'InvalidDigest'])

/** Node's codes for a connection that isn't trusted: no later attempt will be either. */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL/

/** As much of an SDK error as matters here. */
interface RemoteError extends Error {
  code?: string
  Code?: string
  $metadata?: { httpStatusCode?: number; requestId?: string }
  $response?: { statusCode?: number; headers?: Record<string, string> }
}

/**
 * What an error of the SDK means. `what` names the request, as `PUT s3://bucket/key`.
 * Only the store's code and message are kept: the SDK's error carries the request, and so its
 * Authorization header.
 */
export function judgeS3Error(thrown: unknown, what: string): Verdict {
  if (thrown instanceof MeiliHaError) {
    return { error: thrown, retry: thrown.code === 'MEILI_HA_STORE_CHECKSUM' || isLost(thrown) }
  }
  const error = thrown as RemoteError
  const status = error.$response?.statusCode ?? error.$metadata?.httpStatusCode
  const remoteCode = remoteCodeOf(error)
  const verdict = (code: ErrorCode, retry: boolean, says: string, hint?: string): Verdict => ({
    error: new MeiliHaError(code, `${what}: ${says}`, {
      cause: withoutRequest(error),
      ...(remoteCode !== undefined && { remoteCode }),
      ...(hint !== undefined && { hint }),
    }),
    retry,
    ...retryAfter(error),
  })
  const says = `${remoteCode ?? error.name}${status ? ` (${status})` : ''}: ${error.message}`

  if (thrown instanceof DeadlineError) return verdict('STORE_UNREACHABLE', true, error.message)
  if (error.name === 'CredentialsProviderError') {
    // No credentials anywhere is a no; a metadata service that is slow to answer is not.
    const none = error.message.startsWith('Could not load credentials')
    return verdict('STORE_DENIED', !none, error.message, 'Set AWS_* or give the pod a role.')
  }
  if (/checksum mismatch/i.test(error.message)) return verdict('STORE_CHECKSUM', true, says)
  if (status === undefined) return judgeConnection(error, verdict)
  if (remoteCode !== undefined && TRY_AGAIN.has(remoteCode)) {
    return verdict('STORE_UNREACHABLE', true, says)
  }
  if (remoteCode !== undefined && DAMAGED.has(remoteCode)) {
    return verdict('STORE_CHECKSUM', true, says)
  }
  return judgeStatus(status, remoteCode, (code, retry, hint) => verdict(code, retry, says, hint))
}

function judgeStatus(
  status: number,
  remoteCode: string | undefined,
  verdict: (code: ErrorCode, retry: boolean, hint?: string) => Verdict,
): Verdict {
  if (status === 404) {
    return verdict(remoteCode === 'NoSuchBucket' ? 'STORE_NO_BUCKET' : 'STORE_NOT_FOUND', false)
  }
  if (status === 401 || status === 403) return verdict('STORE_DENIED', false)
  if (status === 409 || status === 412) return verdict('STORE_CONFLICT', false)
  if (status === 408 || status === 429) return verdict('STORE_UNREACHABLE', true)
  if (status === 501) return verdict('STORE_REFUSED', false)
  if (status >= 500) return verdict('STORE_UNREACHABLE', true)
  if (status === 301 || status === 307 || remoteCode === 'AuthorizationHeaderMalformed') {
    return verdict('STORE_REFUSED', false, 'Set AWS_REGION to the region of the bucket.')
  }
  // A 2xx that the SDK could not read came from something that is no S3 store, or broke off.
  if (status < 300) return verdict('STORE_UNREACHABLE', true)
  return verdict('STORE_REFUSED', false)
}

function judgeConnection(
  error: RemoteError,
  verdict: (code: ErrorCode, retry: boolean, says: string, hint?: string) => Verdict,
): Verdict {
  const code = error.code ?? error.name
  if (UNTRUSTED.test(code)) {
    const hint = 'Give the CA of the store with NODE_EXTRA_CA_CERTS.'
    return verdict('STORE_UNREACHABLE', false, `${code}: ${error.message}`, hint)
  }
  const mistake = error instanceof TypeError || error instanceof RangeError
  if (mistake && error.code === undefined) return verdict('INTERNAL', false, error.message)
  if (error.message === 'Region is missing') {
    return verdict('STORE_REFUSED', false, 'the region is not known', 'Set AWS_REGION.')
  }
  return verdict('STORE_UNREACHABLE', true, `${code}: ${error.message}`)
}

/** Broke off by our own count, as read-body reports it. */
function isLost(error: MeiliHaError): boolean {
  return error.code === 'MEILI_HA_STORE_UNREACHABLE'
}

function remoteCodeOf(error: RemoteError): string | undefined {
  return error.Code ?? error.code ?? (error.$metadata ? error.name : undefined)
}

/** Seconds, or a date that is taken from the answer's own clock. */
function retryAfter(error: RemoteError): { retryAfterMs?: number } {
  const headers = error.$response?.headers
  const value = headers?.['retry-after']
  if (value === undefined) return {}
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return { retryAfterMs: seconds * 1000 }
  const wait = Date.parse(value) - Date.parse(headers?.['date'] ?? '')
  return Number.isFinite(wait) ? { retryAfterMs: Math.max(0, wait) } : {}
}

function withoutRequest(error: RemoteError): Error {
  const cause = new Error(error.message)
  cause.name = error.name
  if (error.stack !== undefined) cause.stack = error.stack
  return cause
}
