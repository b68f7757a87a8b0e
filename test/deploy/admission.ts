import type { KubeSite } from '../kube/kube-site.ts'
import type { Manifest } from './manifest.ts'

/** Where the API server takes objects of a kind; the kinds of other people's CRDs are not here. */
const PLACES: Record<string, string> = {
  ConfigMap: 'v1/configmaps',
  PersistentVolumeClaim: 'v1/persistentvolumeclaims',
  Pod: 'v1/pods',
  Secret: 'v1/secrets',
  Service: 'v1/services',
  ServiceAccount: 'v1/serviceaccounts',
  StatefulSet: 'apps/v1/statefulsets',
  NetworkPolicy: 'networking.k8s.io/v1/networkpolicies',
  PodDisruptionBudget: 'policy/v1/poddisruptionbudgets',
  Role: 'rbac.authorization.k8s.io/v1/roles',
  RoleBinding: 'rbac.authorization.k8s.io/v1/rolebindings',
}
const CRDS = ['HTTPRoute', 'IngressRoute', 'PodMonitor']

/** The namespace refuses pods that Pod Security's "restricted" does not allow. */
export async function restrict(site: KubeSite): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  const path = `/api/v1/namespaces/${site.namespace}`
  await site.admin.call({ method: 'PATCH', path, body: { metadata: { labels } } })
}

/**
 * Has the API server judge every object, to the letter and without keeping any, and the pods that
 * the StatefulSets' controller would make, which alone Pod Security judges.
 * @returns what it refuses, each with its reason; kinds that only a CRD would bring are said aloud
 */
export async function refusals(site: KubeSite, manifests: readonly Manifest[]): Promise<string[]> {
  const found: string[] = []
  const pods = manifests.filter(({ kind }) => kind === 'StatefulSet').map(podOf)
  for (const manifest of [...manifests, ...pods]) {
    const { kind, metadata } = manifest
    if (CRDS.includes(kind)) {
      console.warn(`SKIPPED: no CRD of ${kind} in this API server: ${metadata.name}`)
      continue
    }
    const place = PLACES[kind]
    if (!place) throw new Error(`unknown kind ${kind}`)
    const [plural = '', version = '', group] = place.split('/').toReversed()
    const root = group === undefined ? `/api/${version}` : `/apis/${group}/${version}`
    const body = { ...manifest, metadata: { ...metadata, namespace: site.namespace } }
    const query = { dryRun: 'All', fieldValidation: 'Strict' }
    const path = `${root}/namespaces/${site.namespace}/${plural}`
    await site.admin.call({ method: 'POST', path, query, body }).catch((error: unknown) => {
      found.push(`${kind} ${metadata.name}: ${String(error)}`)
    })
  }
  return found
}

/** With a plain volume for each claim. */
function podOf({ metadata, spec }: Manifest): Manifest {
  const { template, volumeClaimTemplates = [] } = spec
  const claims = volumeClaimTemplates.map((claim) => ({ name: claim.metadata.name, emptyDir: {} }))
  const volumes = [...(template.spec.volumes ?? []), ...claims]
  const pod = { ...template.spec, volumes } as Manifest['spec']
  const labels = template.metadata.labels
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${metadata.name}-0`, labels },
    spec: pod,
  }
}
