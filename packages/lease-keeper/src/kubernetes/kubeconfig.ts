import type { RequestOptions } from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node'
import { MeiliHaError, messageOf } from '@meili-ha/core/errors.ts'
import type { KubeAccess, KubeCredentials } from './kube-access.ts'

/** Where nothing is configured @kubernetes/client-node makes this up, and refuses to talk to it. */
const MADE_UP = 'http://localhost:8080'

/**
 * Access as kubectl has it: KUBECONFIG or ~/.kube/config, with client certificates, tokens, exec
 * plugins and proxies. For commands at a person's desk; @kubernetes/client-node is loaded only here.
 * Its version 2.0.1 doesn't know `tokenFile`: who needs a file of a token has a pod's, or a plugin.
 * @throws LEASE_UNREACHABLE when there is no configuration, or none that can be read
 */
export async function kubeconfigAccess(): Promise<KubeAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const load = (): KubeConfig => {
    const config = new KubeConfig()
    config.loadFromDefault()
    return config
  }
  try {
    let config = load()
    const cluster = config.getCurrentCluster()
    if (!cluster) throw new Error('the current context names no cluster')
    if (cluster.server === MADE_UP) throw new Error('there is none, and this is no pod')
    const context = config.getContextObject(config.getCurrentContext())
    return {
      server: cluster.server,
      namespace: context?.namespace ?? 'default',
      credentials: async (renew) => {
        // It keeps what an exec plugin answered until that expires by the wall clock.
        if (renew) config = load()
        return credentialsOf(config, cluster.proxyUrl !== undefined)
      },
    }
  } catch (cause) {
    throw new MeiliHaError('LEASE_UNREACHABLE', `kubeconfig: ${messageOf(cause)}`, {
      cause,
      hint: 'Set KUBECONFIG, and try `kubectl config current-context`.',
    })
  }
}

async function credentialsOf(config: KubeConfig, proxied: boolean): Promise<KubeCredentials> {
  const options: RequestOptions & { headers: Record<string, string> } = { headers: {} }
  await config.applyToHTTPSOptions(options)
  const { agent, ...credentials } = options
  // Its agent opens a connection per request; it is needed only where it knows the way through a proxy.
  return proxied && agent !== undefined ? { ...credentials, agent } : credentials
}
