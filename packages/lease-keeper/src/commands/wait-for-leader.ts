import { setTimeout as sleep } from 'node:timers/promises'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { LeaseBackend, LeaseRecord, LeaseRequest } from '../lease/lease.ts'
import { readRecord } from './edit-record.ts'

const POLL_MS = 500

/**
 * Waits until somebody leads in a later epoch and the request is off the record.
 * @throws TIMEOUT, saying who leads instead; what `signal` says when aborted
 */
export async function waitForLeader(
  lease: LeaseBackend,
  before: LeaseRecord | undefined,
  request: LeaseRequest,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<LeaseRecord> {
  const until = performance.now() + timeoutMs
  let record: LeaseRecord | undefined
  while (performance.now() < until) {
    record = await readRecord(lease)
    const pending = record?.request?.id === request.id
    if (record?.holder != null && record.epoch > (before?.epoch ?? 0) && !pending) return record
    await sleep(POLL_MS, undefined, { signal })
  }
  const who = record?.holder == null ? 'nobody leads' : `${record.member} leads`
  throw new MeiliHaError('TIMEOUT', `${request.verb} isn't done yet: ${who}`, {
    hint: '`lease-keeper status` shows which member is ready, and why the others are not.',
  })
}
