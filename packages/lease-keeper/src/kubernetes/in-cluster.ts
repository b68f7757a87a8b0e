import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { MeiliHaError, messageOf } from '@meili-ha/core/errors.ts'
import type { KubeAccess } from './kube-access.ts'

/** Where the kubelet mounts a pod's token, the cluster's CA and the namespace. */
export const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The variables by which a container finds its API server. */
export type ServiceEnv = Partial<Record<string, string>>

/** True in a container of a pod, whether or not a token is mounted there. */
export function isInCluster(env: ServiceEnv): boolean {
  return Boolean(env['KUBERNETES_SERVICE_HOST'] && env['KUBERNETES_SERVICE_PORT'])
}

/**
 * Access from inside a pod. Written out instead of taken from @kubernetes/client-node, because
 * importing that one's KubeConfig costs 75 MiB (its generated models and undici come with it).
 * Token and CA are read anew for every request: two small files in memory, so that a rotation is
 * never missed and no clock has to say when one is due.
 * @throws LEASE_UNREACHABLE when the pod has no service account mounted
 */
export async function inClusterAccess(
  env: ServiceEnv,
  directory: string = SERVICE_ACCOUNT_DIR,
): Promise<KubeAccess> {
  const read = (name: string) => readFile(join(directory, name), 'utf8')
  try {
    const namespace = (await read('namespace')).trim()
    return {
      server: serverOf(env),
      namespace,
      credentials: async () => {
        const [token, ca] = await Promise.all([read('token'), read('ca.crt')])
        return { ca, headers: { authorization: `Bearer ${token.trim()}` } }
      },
    }
  } catch (cause) {
    throw new MeiliHaError('LEASE_UNREACHABLE', `no service account here: ${messageOf(cause)}`, {
      cause,
      hint: 'Mount the token (projected, or automountServiceAccountToken) into this container.',
    })
  }
}

function serverOf(env: ServiceEnv): string {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = env
  return `https://${isIPv6(host) ? `[${host}]` : host}:${port}`
}
