import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KubeApi, type KubeRequest } from '@meili-ha/lease-keeper/kubernetes/kube-api.ts'
import type { KubeAccess } from '@meili-ha/lease-keeper/kubernetes/kube-access.ts'
import { CLUSTER_LABEL } from '@meili-ha/lease-keeper/kubernetes/pod.ts'
import { parseAllDocuments } from 'yaml'
import type { ApiServer } from './api-server.ts'
import type { PolicyRule } from './access-rules.ts'

const MANIFEST = fileURLToPath(new URL('../../deploy/rbac/lease-keeper.yaml', import.meta.url))

/** A namespace of a real or an in-process API server, and what tests do there as its administrator. */
export interface KubeSite {
  server: string
  namespace: string
  /** PEM; undefined where the server speaks http. */
  ca: string | undefined
  /** Undefined on a real server: no faults there. */
  inProcess: ApiServer | undefined
  admin: KubeApi
  /** A token of a service account that has the shipped Role for `cluster`, and nothing else. */
  keeperToken(cluster: string): Promise<string>
}

interface Manifest {
  kind: string
  metadata: { name: string }
  rules?: PolicyRule[]
  subjects?: { namespace: string }[]
}

/** The shipped manifest, for `cluster` in `namespace`. */
export async function keeperManifest(cluster: string, namespace: string): Promise<Manifest[]> {
  const text = (await readFile(MANIFEST, 'utf8'))
    .replaceAll('[meilisearch]', `[${cluster}]`)
    .replaceAll('namespace: default', `namespace: ${namespace}`)
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest)
}

/** Access with a token that the test may change; `renewals` counts how often it had to be renewed. */
export function accessOf(
  site: Pick<KubeSite, 'server' | 'namespace' | 'ca'>,
  token: string,
): KubeAccess & { token: string; next: string | undefined; renewals: number } {
  return {
    server: site.server,
    namespace: site.namespace,
    token,
    /** What the token file will say once it is read again. */
    next: undefined as string | undefined,
    renewals: 0,
    credentials(renew) {
      if (renew) {
        this.renewals++
        this.token = this.next ?? this.token
      }
      const headers = { authorization: `Bearer ${this.token}` }
      return Promise.resolve({ headers, ...(site.ca !== undefined && { ca: site.ca }) })
    },
  }
}

/** A client of the API server that ends with the scope. */
export function clientOf(access: KubeAccess, timeoutMs = 5000): KubeApi & Disposable {
  const api = new KubeApi(access, { timeoutMs })
  return Object.assign(api, { [Symbol.dispose]: () => api.close() })
}

/** Writes a kubeconfig for `user` into `directory` and returns its path: for programs of ours. */
export async function writeKubeconfig(
  site: KubeSite,
  user: { token: string } | { exec: { apiVersion: string; command: string; args: string[] } },
  directory: string,
): Promise<string> {
  const path = join(directory, 'kubeconfig')
  const trust = site.ca
    ? { 'certificate-authority-data': Buffer.from(site.ca).toString('base64') }
    : { 'insecure-skip-tls-verify': true }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: site.server, ...trust } }],
    users: [{ name: 'keeper', user }],
    contexts: [
      { name: 'test', context: { cluster: 'test', user: 'keeper', namespace: site.namespace } },
    ],
    'current-context': 'test',
  }
  await writeFile(path, JSON.stringify(config))
  return path
}

/** Creates a pod of `cluster` that never runs, and returns its uid. */
export async function createPod(site: KubeSite, name: string, cluster: string): Promise<string> {
  const answer = await site.admin.call({
    method: 'POST',
    path: `/api/v1/namespaces/${site.namespace}/pods`,
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { [CLUSTER_LABEL]: cluster } },
      spec: { containers: [{ name: 'meilisearch', image: 'getmeili/meilisearch:v1.50.0' }] },
    },
  })
  return (answer as { metadata: { uid: string } }).metadata.uid
}

/** Deletes an object as a person would with kubectl. No program of ours ever does. */
export async function remove(site: KubeSite, path: string): Promise<void> {
  await site.admin.call({ method: 'DELETE' as KubeRequest['method'], path })
}

export function leasePath(site: KubeSite, name: string): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${site.namespace}/leases/${name}`
}
