import * as z from 'zod'

/** Which cluster a pod is a member of; the pod's template sets it. */
export const CLUSTER_LABEL = 'meili-ha/cluster'
/** `primary`, or absent. */
export const ROLE_LABEL = 'meili-ha/role'
/** `yes`, or absent. */
export const READS_LABEL = 'meili-ha/reads'
/** Different with every change of the labels, so that a late PATCH meets a pod that has changed. */
export const MARK_ANNOTATION = 'meili-ha/mark'
/** What the member's keeper says about it, as JSON. */
export const STATEMENT_ANNOTATION = 'meili-ha/statement'

/** A pod as routing and `status` see it. */
export interface MemberPod {
  name: string
  /** Differs from that of an earlier pod of the same name. */
  uid: string
  /** resourceVersion. */
  version: string
  /** `meili-ha/role=primary` is on it. */
  primary: boolean
  /** `meili-ha/reads=yes` is on it. */
  reads: boolean
  /** The annotation as it is; empty when there is none. */
  statement: string
}

const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
})

const podListSchema = z.object({ items: z.array(podSchema) })

export function memberPodOf(answer: unknown): MemberPod {
  const { name, uid, resourceVersion, labels, annotations } = podSchema.parse(answer).metadata
  return {
    name,
    uid,
    version: resourceVersion,
    primary: labels[ROLE_LABEL] === 'primary',
    reads: labels[READS_LABEL] === 'yes',
    statement: annotations[STATEMENT_ANNOTATION] ?? '',
  }
}

export function memberPodsOf(answer: unknown): MemberPod[] {
  return podListSchema.parse(answer).items.map(memberPodOf)
}
