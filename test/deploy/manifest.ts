import { parseAllDocuments, stringify } from 'yaml'

/** As much of a Kubernetes object as the tests look at. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  rules?: { resourceNames?: string[] }[]
  data?: Record<string, string>
  stringData?: Record<string, string>
  spec: PodSpec & {
    replicas?: number
    selector?: Record<string, unknown>
    template: { metadata: { labels: Record<string, string> }; spec: PodSpec }
    volumeClaimTemplates?: { metadata: { name: string } }[]
  }
}

export interface PodSpec {
  automountServiceAccountToken?: boolean
  terminationGracePeriodSeconds?: number
  initContainers?: Container[]
  containers: Container[]
  volumes?: { name: string; [source: string]: unknown }[]
}

export interface Container {
  name: string
  image: string
  restartPolicy?: string
  command?: string[]
  args?: string[]
  env?: Variable[]
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[]
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[]
  ports?: { name: string; containerPort: number }[]
  livenessProbe?: Probe
  readinessProbe?: Probe
  startupProbe?: Probe
}

interface Variable {
  name: string
  value?: string
  valueFrom?: { secretKeyRef?: { name: string; key: string }; fieldRef?: { fieldPath: string } }
}

interface Probe {
  exec?: { command: string[] }
  httpGet?: { path: string; port: string | number }
}

/**
 * The objects of a YAML text, read as Kubernetes does: `yes` is true and 0440 is octal, as in YAML 1.1.
 * @throws when it isn't YAML to the letter
 */
export function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    const [error] = document.errors
    if (error) throw error
    return document.contents === null ? [] : [document.toJS() as Manifest]
  })
}

/** A YAML text that Kubernetes reads as these objects. */
export function textOf(manifests: readonly Manifest[]): string {
  const options = { version: '1.1', aliasDuplicateObjects: false } as const
  return manifests.map((manifest) => stringify(manifest, options)).join('---\n')
}

export function podSpecsOf(manifests: readonly Manifest[]): PodSpec[] {
  return manifests.flatMap(({ kind, spec }) => {
    if (kind === 'StatefulSet') return [spec.template.spec]
    return kind === 'Pod' ? [spec] : []
  })
}

export function containersOf(manifests: readonly Manifest[]): Container[] {
  return podSpecsOf(manifests).flatMap(({ initContainers = [], containers }) => [
    ...initContainers,
    ...containers,
  ])
}

/** What a container of ours runs: `uploader`, `fetcher`, `lease-keeper`; undefined for others. */
export function programOf({ image }: Container): string | undefined {
  return /^ghcr\.io\/meili-ha\/([a-z-]+)[:@]/.exec(image)?.[1]
}
