import { messageOf } from '@meili-ha/core/errors.ts'
import type { Logger } from 'pino'
import type { Action } from '../action.ts'
import type { Event, Pod } from '../event.ts'
import { isKubeError } from '../kubernetes/kube-error.ts'
import { LeaseError, type VersionedRecord } from '../lease/lease.ts'
import type { Site } from './site.ts'

type LeaseAction = Extract<Action, { type: 'readLease' | 'createLease' | 'updateLease' }>
type PodAction = Extract<Action, { type: 'readPod' | 'patchPod' | 'stripOthers' }>

/**
 * Sends one request about the lease; its answer is exactly one event. A request that outlives its
 * deadline counts as failed, and what it answers later is dropped: it may say what is no longer so.
 */
export async function askLease(
  site: Site,
  action: LeaseAction,
  timeoutMs: number,
  log: Logger,
): Promise<Event> {
  const { sentAt } = action
  try {
    const found = await withDeadline(callLease(site, action), timeoutMs)
    return { type: 'leaseAnswered', sentAt, found }
  } catch (error) {
    const failure = error instanceof LeaseError ? error.failure : 'unknown'
    const fields = { event: 'lease.request_failed', request: action.type, failure }
    log.warn({ ...fields, why: messageOf(error) }, `${action.type}: ${messageOf(error)}`)
    return { type: 'leaseFailed', sentAt, failure }
  }
}

function callLease({ lease }: Site, action: LeaseAction): Promise<VersionedRecord | undefined> {
  if (!lease) throw new LeaseError('denied', 'there is no lease')
  if (action.type === 'readLease') return lease.read()
  if (action.type === 'createLease') return lease.create(action.record)
  return lease.update(action.record, action.version)
}

/** The same for the labels of pods. */
export async function askPods(
  site: Site,
  action: PodAction,
  timeoutMs: number,
  log: Logger,
): Promise<Event> {
  const { pods } = site
  try {
    if (!pods) throw new Error('there are no pods')
    if (action.type === 'stripOthers') {
      await withDeadline(pods.stripOthers(action.mark), timeoutMs)
      return { type: 'othersStripped', ok: true }
    }
    const call = action.type === 'readPod' ? pods.readOwn() : pods.patchOwn(action)
    const { version, primary, reads }: Pod = await withDeadline(call, timeoutMs)
    return { type: 'podAnswered', pod: { version, primary, reads } }
  } catch (error) {
    const why = messageOf(error)
    log.warn({ event: 'pods.request_failed', request: action.type, why }, `${action.type}: ${why}`)
    const conflict = isKubeError(error, 'conflict')
    return action.type === 'stripOthers'
      ? { type: 'othersStripped', ok: false, conflict }
      : { type: 'podFailed', conflict }
  }
}

function withDeadline<T>(call: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new LeaseError('unknown', 'no answer in time')),
      timeoutMs,
    )
    call.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
