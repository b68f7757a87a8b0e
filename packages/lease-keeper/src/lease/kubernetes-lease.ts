import { messageOf } from '@meili-ha/core/errors.ts'
import type { KubeApi } from '../kubernetes/kube-api.ts'
import { isKubeError } from '../kubernetes/kube-error.ts'
import {
  type LeaseObject,
  leaseObjectOf,
  leaseObjectSchema,
  recordOf,
} from './kubernetes-record.ts'
import {
  type LeaseBackend,
  LeaseError,
  type LeaseFailure,
  type LeaseRecord,
  type VersionedRecord,
} from './lease.ts'

/**
 * The lease as a coordination.k8s.io/v1 Lease named like the cluster; `kubectl get lease` shows the
 * holder. Epoch and holder are written in one update, under the resourceVersion that was read.
 */
export class KubernetesLease implements LeaseBackend {
  readonly name: string
  readonly #api: KubeApi
  readonly #leaseName: string
  readonly #path: string
  /** As last answered: an update replaces the whole object, and what others wrote on it must stay. */
  #last: LeaseObject | undefined

  constructor(api: KubeApi, cluster: string) {
    this.#api = api
    this.#leaseName = cluster
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(api.namespace)}/leases`
    this.name = `lease ${api.namespace}/${cluster}`
  }

  async read(): Promise<VersionedRecord | undefined> {
    try {
      return this.#answered(await this.#api.call({ method: 'GET', path: this.#own() }))
    } catch (error) {
      if (isKubeError(error, 'missing')) return undefined
      throw leaseError(error)
    }
  }

  async create(record: LeaseRecord): Promise<VersionedRecord> {
    const base = { metadata: { name: this.#leaseName } } as LeaseObject
    const body = leaseObjectOf(record, base)
    try {
      return this.#answered(await this.#api.call({ method: 'POST', path: this.#path, body }))
    } catch (error) {
      throw leaseError(error)
    }
  }

  async update(record: LeaseRecord, version: string): Promise<VersionedRecord> {
    const last = this.#last?.metadata.resourceVersion === version ? this.#last : undefined
    const metadata = { ...last?.metadata, name: this.#leaseName, resourceVersion: version }
    const body = leaseObjectOf(record, { ...last, metadata })
    try {
      return this.#answered(await this.#api.call({ method: 'PUT', path: this.#own(), body }))
    } catch (error) {
      throw leaseError(error)
    }
  }

  #own(): string {
    return `${this.#path}/${encodeURIComponent(this.#leaseName)}`
  }

  #answered(answer: unknown): VersionedRecord {
    const object = leaseObjectSchema.parse(answer)
    this.#last = object
    return { record: recordOf(object), version: object.metadata.resourceVersion }
  }
}

/** Whatever isn't a definite no may have taken effect. A Lease that is gone is no longer the one named. */
function leaseError(error: unknown): LeaseError {
  const failure: LeaseFailure = isKubeError(error, 'conflict', 'missing')
    ? 'conflict'
    : isKubeError(error, 'denied')
      ? 'denied'
      : 'unknown'
  return new LeaseError(failure, messageOf(error), { cause: error })
}
