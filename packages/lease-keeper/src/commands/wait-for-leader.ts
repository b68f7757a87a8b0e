import { setTimeout as sleep } from 'node:timers/promises'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { LeaseBackend, LeaseRecord, LeaseRequest } from '../lease/lease.ts'
import { readRecord } from './edit-record.ts'

const POLL_MS = 500

/**
 * Waits until a member serves as primary in a later epoch, as was asked.
 * @param before the record that the request was written into
 * @throws REQUEST_FAILED when it is answered otherwise; TIMEOUT; what `signal` says when aborted
 */
export async function waitForLeader(
  lease: LeaseBackend,
  before: LeaseRecord,
  request: LeaseRequest,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<LeaseRecord> {
  const until = performance.now() + timeoutMs
  let record: LeaseRecord | undefined
  let last: LeaseRecord | undefined
  while (performance.now() < until) {
    last = record
    record = await readRecord(lease)
    const failure = record && whyFailed(before, record, request)
    if (failure) throw new MeiliHaError('REQUEST_FAILED', failure)
    if (record && last && serves(last, record) && record.epoch > before.epoch) return record
    await sleep(POLL_MS, undefined, { signal })
  }
  const who = record?.holder == null ? 'nobody leads' : `${record.member} holds the lease`
  throw new MeiliHaError('TIMEOUT', `${request.verb} isn't done yet: ${who}`, {
    hint: '`lease-keeper status` shows which member is ready, and why the others are not.',
  })
}

/** This time moves only while the holder has a permit: whoever has just taken the lease doesn't serve yet. */
function serves(last: LeaseRecord, record: LeaseRecord): boolean {
  const same = record.holder !== null && record.holder === last.holder
  return same && record.epoch === last.epoch && record.renewedAt !== last.renewedAt
}

/** How a request was answered otherwise; undefined = it wasn't, or it is under way. Pure. */
export function whyFailed(
  before: LeaseRecord,
  record: LeaseRecord,
  { id, verb, to }: LeaseRequest,
): string | undefined {
  const { member, holder, epoch } = record
  if (holder === null || record.request?.id === id) return undefined
  const leads = `${member} leads in epoch ${epoch}`
  if (epoch > before.epoch) {
    if (verb === 'switchover' && member === before.member) return `it was given up: ${leads}`
    return to !== null && member !== to ? `${leads}, not ${to}` : undefined
  }
  // A drain takes the request along; a primary that is well answers `promote` by going on.
  return verb === 'promote' ? `${leads} and is well: to replace it, use switchover` : undefined
}
