import * as z from 'zod'
import type { KubeApi } from './kube-api.ts'

/** One thing a keeper must be allowed to do in its namespace. */
export interface Right {
  verb: string
  group: string
  resource: string
  /** Where the right is to one object alone. */
  name?: string
}

/** All that a keeper asks of the API server; deploy/rbac grants exactly this. */
export function rightsNeeded(cluster: string): Right[] {
  const lease = { group: 'coordination.k8s.io', resource: 'leases' }
  const pods = { group: '', resource: 'pods' }
  return [
    { verb: 'get', ...lease, name: cluster },
    { verb: 'update', ...lease, name: cluster },
    // RBAC can't limit a create to a name.
    { verb: 'create', ...lease },
    { verb: 'get', ...pods },
    { verb: 'list', ...pods },
    { verb: 'patch', ...pods },
    { verb: 'create', group: 'events.k8s.io', resource: 'events' },
  ]
}

const answerSchema = z.object({ status: z.object({ allowed: z.boolean() }) })

/** Asks the API server whether this keeper has a right. Every authenticated user may ask. */
export async function hasRight(api: KubeApi, right: Right): Promise<boolean> {
  const answer = await api.call({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { namespace: api.namespace, ...right } },
    },
  })
  return answerSchema.parse(answer).status.allowed
}
