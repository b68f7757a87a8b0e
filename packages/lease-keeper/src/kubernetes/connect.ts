import { inClusterAccess, isInCluster, type ServiceEnv } from './in-cluster.ts'
import type { KubeAccess } from './kube-access.ts'
import { kubeconfigAccess } from './kubeconfig.ts'

/**
 * Inside a pod its service account; elsewhere the kubeconfig. KUBECONFIG wins where it is set, as
 * with kubectl.
 * @throws LEASE_UNREACHABLE when there is neither
 */
export function kubeAccess(env: ServiceEnv): Promise<KubeAccess> {
  return isInCluster(env) && !env['KUBECONFIG'] ? inClusterAccess(env) : kubeconfigAccess()
}
