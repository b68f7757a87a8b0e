import type { Logger } from 'pino'
import { messageOf } from '@meili-ha/core/errors.ts'
import type { ReportEvent } from '../action.ts'
import type { KubeApi } from '../kubernetes/kube-api.ts'
import { writePodEvent } from '../kubernetes/pod-event.ts'
import type { Report } from './report.ts'

/** Those that a person looking at `kubectl describe pod` wants to see. */
const SHOWN: Partial<Record<ReportEvent, { reason: string; warning: boolean }>> = {
  promoted: { reason: 'Promoted', warning: false },
  'promotion-failed': { reason: 'PromotionFailed', warning: true },
  'lease-lost': { reason: 'LeaseLost', warning: true },
  'lease-released': { reason: 'LeaseReleased', warning: false },
  'drain-failed': { reason: 'HandoverFailed', warning: true },
  unhealthy: { reason: 'SteppedDown', warning: true },
}

/** Writes Kubernetes Events about the own pod, on the side: nothing waits for them. */
export function podEvents(
  api: KubeApi,
  { podName, podUid = '' }: { podName: string; podUid?: string },
  log: Logger,
): (report: Report) => void {
  return ({ event, fields }) => {
    const shown = SHOWN[event]
    if (!shown) return
    const pod = { name: podName, uid: podUid }
    const note = JSON.stringify(fields)
    writePodEvent(api, pod, { ...shown, note }, new Date().toISOString()).catch(
      (error: unknown) => {
        log.debug({ event: 'pod_event.failed', why: messageOf(error) }, 'no Event written')
      },
    )
  }
}
