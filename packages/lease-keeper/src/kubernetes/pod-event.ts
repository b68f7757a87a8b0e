import type { KubeApi } from './kube-api.ts'

/** What `kubectl describe pod` shows below Events. */
export interface PodEvent {
  /** CamelCase, as in `Promoted`. */
  reason: string
  /** For people; cut at what the server takes. */
  note: string
  warning: boolean
}

/** The server refuses a longer note. */
const LONGEST_NOTE = 1024

/**
 * Writes an Event about the own pod.
 * @param at ISO 8601
 */
export async function writePodEvent(
  api: KubeApi,
  pod: { name: string; uid: string },
  { reason, note, warning }: PodEvent,
  at: string,
): Promise<void> {
  const { namespace } = api
  await api.call({
    method: 'POST',
    path: `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`,
    body: {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { generateName: `${pod.name}-`, namespace },
      eventTime: new Date(at).toISOString().replace('Z', '000Z'),
      reportingController: 'meili-ha/lease-keeper',
      reportingInstance: pod.name,
      action: reason,
      reason,
      note: note.slice(0, LONGEST_NOTE),
      type: warning ? 'Warning' : 'Normal',
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace, ...pod },
    },
  })
}
