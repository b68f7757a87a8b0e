import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { DeadlineError } from './deadline.ts'
import { judgeS3Error } from './s3-errors.ts'

function sdkError(name: string, status: number, headers: Record<string, string> = {}) {
  const request = { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=AKIDSECRET/…' } }
  return Object.assign(new Error('as the store put it'), {
    name,
    $metadata: { httpStatusCode: status },
    $response: { statusCode: status, headers, body: { req: request } },
  })
}

describe('judgeS3Error', () => {
  it.each([
    ['AccessDenied', 403, 'STORE_DENIED', false],
    ['InvalidAccessKeyId', 403, 'STORE_DENIED', false],
    ['RequestTimeTooSkewed', 403, 'STORE_UNREACHABLE', true],
    ['NoSuchBucket', 404, 'STORE_NO_BUCKET', false],
    ['NoSuchKey', 404, 'STORE_NOT_FOUND', false],
    ['PreconditionFailed', 412, 'STORE_CONFLICT', false],
    ['ConditionalRequestConflict', 409, 'STORE_CONFLICT', false],
    ['InvalidRange', 416, 'STORE_REFUSED', false],
    ['EntityTooLarge', 400, 'STORE_REFUSED', false],
    ['RequestTimeout', 400, 'STORE_UNREACHABLE', true],
    ['XAmzContentSHA256Mismatch', 400, 'STORE_CHECKSUM', true],
    ['BadDigest', 400, 'STORE_CHECKSUM', true],
    ['TooManyRequests', 429, 'STORE_UNREACHABLE', true],
    ['SlowDown', 503, 'STORE_UNREACHABLE', true],
    ['InternalError', 500, 'STORE_UNREACHABLE', true],
    ['NotImplemented', 501, 'STORE_REFUSED', false],
    ['PermanentRedirect', 301, 'STORE_REFUSED', false],
  ])('%s (%i) is %s, tried again: %s', (name, status, code, again) => {
    const verdict = judgeS3Error(sdkError(name, status), 'GET s3://bucket/key')
    expect(verdict.error.code).toBe(`MEILI_HA_${code}`)
    expect(verdict.retry).toBe(again)
    expect(verdict.error.remoteCode).toBe(name)
    expect(verdict.error.message).toContain('GET s3://bucket/key')
  })

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE'])('%s is bad luck', (code) => {
    const error = Object.assign(new Error('connect'), { code })
    const verdict = judgeS3Error(error, 'GET')
    expect(verdict).toMatchObject({ retry: true, error: { code: 'MEILI_HA_STORE_UNREACHABLE' } })
  })

  it('does not try again with a certificate that nobody trusts', () => {
    const error = Object.assign(new Error('self-signed'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    const verdict = judgeS3Error(error, 'GET')
    expect(verdict.retry).toBe(false)
    expect(verdict.error.hint).toContain('NODE_EXTRA_CA_CERTS')
  })

  it('tries again after a deadline', () => {
    expect(judgeS3Error(new DeadlineError('late'), 'GET').retry).toBe(true)
  })

  it('calls a mistake of ours a bug, once', () => {
    const verdict = judgeS3Error(new TypeError('x is undefined'), 'GET')
    expect(verdict).toMatchObject({ retry: false, error: { code: 'MEILI_HA_INTERNAL' } })
  })

  it('takes Retry-After as seconds or as a date', () => {
    const seconds = sdkError('SlowDown', 503, { 'retry-after': '7' })
    expect(judgeS3Error(seconds, 'GET').retryAfterMs).toBe(7000)
    const date = 'Fri, 31 Dec 1999 23:59:00 GMT'
    const until = 'Fri, 31 Dec 1999 23:59:30 GMT'
    const dated = sdkError('SlowDown', 503, { date, 'retry-after': until })
    expect(judgeS3Error(dated, 'GET').retryAfterMs).toBe(30_000)
  })

  it('keeps nothing of the request, whose headers identify the credentials', () => {
    const { error } = judgeS3Error(sdkError('InternalError', 500), 'GET')
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('AKIDSECRET')
  })
})
