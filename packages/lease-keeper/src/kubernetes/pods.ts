import type { KubeApi } from './kube-api.ts'
import { isKubeError, KubeError } from './kube-error.ts'
import {
  CLUSTER_LABEL,
  MARK_ANNOTATION,
  STATEMENT_ANNOTATION,
  type MemberPod,
  memberPodOf,
  memberPodsOf,
  READS_LABEL,
  ROLE_LABEL,
} from './pod.ts'

/** Which pod is one's own. The uid comes from the downward API: a name may be another pod's by now. */
export interface PodIdentity {
  name: string
  uid: string
  cluster: string
}

/** How both labels shall be, under the version on which that was decided. */
export interface LabelChange {
  version: string
  primary: boolean
  reads: boolean
  mark: string
}

/** The pods of one cluster: labels that routers follow, and what members say about themselves. */
export class Pods {
  readonly #api: KubeApi
  readonly #own: PodIdentity
  readonly #path: string

  constructor(api: KubeApi, own: PodIdentity) {
    this.#api = api
    this.#own = own
    this.#path = `/api/v1/namespaces/${encodeURIComponent(api.namespace)}/pods`
  }

  /** @throws KubeError `missing` also when another pod bears the name by now */
  async readOwn(): Promise<MemberPod> {
    const { name, uid } = this.#own
    const pod = memberPodOf(await this.#api.call({ method: 'GET', path: this.#pathOf(name) }))
    if (pod.uid === uid) return pod
    throw new KubeError('missing', `pod ${name} is another one now: its uid is ${pod.uid}`)
  }

  /** @throws KubeError `conflict` when the pod is no longer at that version */
  patchOwn(change: LabelChange): Promise<MemberPod> {
    const labels = {
      [ROLE_LABEL]: change.primary ? 'primary' : null,
      [READS_LABEL]: change.reads ? 'yes' : null,
    }
    return this.#patch(this.#own, { version: change.version, labels, mark: change.mark })
  }

  /**
   * Takes `role=primary` off every other pod of the cluster. All are changed, labelled or not: a
   * PATCH that a frozen keeper has yet to send must find another version than it was decided on.
   * @throws KubeError of the first pod that could not be changed; one that is gone needs no change
   */
  async stripOthers(mark: string): Promise<void> {
    const others = (await this.list()).filter(({ uid }) => uid !== this.#own.uid)
    await Promise.all(others.map((pod) => this.#strip(pod, mark)))
  }

  /** All pods of the cluster, this one included. */
  async list(): Promise<MemberPod[]> {
    const query = { labelSelector: `${CLUSTER_LABEL}=${this.#own.cluster}` }
    return memberPodsOf(await this.#api.call({ method: 'GET', path: this.#path, query }))
  }

  /** Says something about the own pod. Not under a version: it is no label, and nothing rests on it. */
  async annotateOwn(statement: string): Promise<void> {
    const { name, uid } = this.#own
    const metadata = { uid, annotations: { [STATEMENT_ANNOTATION]: statement } }
    await this.#api.call({ method: 'PATCH', path: this.#pathOf(name), body: { metadata } })
  }

  async #strip(pod: MemberPod, mark: string): Promise<void> {
    try {
      await this.#patch(pod, { version: pod.version, labels: { [ROLE_LABEL]: null }, mark })
    } catch (error) {
      if (!isKubeError(error, 'missing')) throw error
    }
  }

  async #patch(
    { name, uid }: { name: string; uid: string },
    change: { version: string; labels: Record<string, string | null>; mark: string },
  ): Promise<MemberPod> {
    const { version: resourceVersion, labels, mark } = change
    const metadata = { uid, resourceVersion, labels, annotations: { [MARK_ANNOTATION]: mark } }
    const path = this.#pathOf(name)
    return memberPodOf(await this.#api.call({ method: 'PATCH', path, body: { metadata } }))
  }

  #pathOf(name: string): string {
    return `${this.#path}/${encodeURIComponent(name)}`
  }
}
