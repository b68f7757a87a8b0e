import type { DataGate } from '@meili-ha/core/ha/data.ts'
import type { Permit } from '@meili-ha/core/ha/permit.ts'
import type { Want } from '@meili-ha/core/ha/want.ts'
import type { LeaseRecord } from './lease/lease.ts'

/**
 * What a decision asks the runtime to do, in this order. Files are written before the next action
 * starts. Lease requests and pod requests run beside each other, at most one of each at a time, and
 * each is answered by exactly one event; what arrives after its timeout is dropped, not delivered.
 */
export type Action =
  | { type: 'readLease'; sentAt: number }
  | { type: 'createLease'; sentAt: number; record: LeaseRecord }
  | { type: 'updateLease'; sentAt: number; record: LeaseRecord; version: string }
  | { type: 'writePermit'; permit: Permit }
  /** Cold standby alone: nobody else writes `/ha/data` there. */
  | { type: 'writeData'; data: DataGate }
  | { type: 'writeWant'; want: Want }
  | { type: 'readPod' }
  /** Sets both labels under `version`, and the annotation to `mark`, so that the pod always changes. */
  | { type: 'patchPod'; version: string; primary: boolean; reads: boolean; mark: string }
  /** Takes `role=primary` off every other pod of the cluster, `mark` as above, each under its version. */
  | { type: 'stripOthers'; mark: string }
  /** Tells the guard that its drain is over. */
  | { type: 'writeDrained'; askedAt: number }
  /** For the log, metrics, Kubernetes Events; `promoted` also starts the promotion hook. */
  | { type: 'report'; event: ReportEvent; fields: ReportFields }
  /** Once the requests under way are answered. */
  | { type: 'exit' }

export type ReportFields = Record<string, string | number | boolean | null>

export type ReportEvent =
  | 'phase'
  | 'lease-lost'
  | 'lease-released'
  | 'not-standing'
  | 'lease-durations-differ'
  | 'promotion-step'
  | 'promotion-failed'
  | 'promoted'
  | 'unclaimed'
  | 'drain-step'
  | 'drain-failed'
  | 'unhealthy'
