import type { RequestOptions } from 'node:https'

/** Where the API server is and who we are there. */
export interface KubeAccess {
  /** `https://host:port`, without a slash at its end; with a path where a proxy adds one. */
  readonly server: string
  /** Of the pod, or of the kubeconfig's context. */
  readonly namespace: string
  /**
   * Credentials and TLS settings for one request.
   * @param renew the last ones were answered with 401: whatever was kept of them is worthless.
   */
  credentials(renew: boolean): Promise<KubeCredentials>
}

/** As node:https takes them. */
export type KubeCredentials = Pick<
  RequestOptions,
  'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername' | 'auth' | 'agent'
> & { headers: Record<string, string> }
