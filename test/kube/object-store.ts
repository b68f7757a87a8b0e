import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { ApiStatus, conflict, invalid, notFound } from './api-status.ts'
import { mergePatch } from './merge-patch.ts'

export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata: {
    name: string
    uid: string
    resourceVersion: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    [field: string]: unknown
  }
  [field: string]: unknown
}

/** Objects by path, with the API server's rules of versions: optimistic, and a no-op changes nothing. */
export class ObjectStore {
  readonly #objects = new Map<string, KubeObject>()
  #version = 1

  get(path: string): KubeObject {
    const object = this.#objects.get(path)
    if (!object) throw notFound(path)
    return object
  }

  list(folder: string, selector: string | null): KubeObject[] {
    const wanted = (selector ?? '').split(',').filter(Boolean)
    return [...this.#objects]
      .filter(([path]) => path.slice(0, path.lastIndexOf('/')) === folder)
      .map(([, object]) => object)
      .filter(({ metadata }) =>
        wanted.every((pair) => {
          const [key = '', value] = pair.split('=')
          return metadata.labels?.[key] === value
        }),
      )
  }

  create(folder: string, body: Partial<KubeObject>): KubeObject {
    const given = body.metadata as { name?: string; generateName?: string } | undefined
    const name = given?.name ?? `${given?.generateName}${randomUUID().slice(0, 5)}`
    const path = `${folder}/${name}`
    if (this.#objects.has(path)) {
      throw new ApiStatus(409, 'AlreadyExists', `${path} already exists`)
    }
    const metadata = { ...given, name, uid: randomUUID(), resourceVersion: this.#next() }
    return this.#keep(path, { ...body, metadata })
  }

  replace(path: string, body: KubeObject): KubeObject {
    const current = this.get(path)
    const { uid, resourceVersion } = body.metadata
    if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) {
      throw conflict(path)
    }
    if (uid !== undefined && uid !== current.metadata.uid) throw conflict(path)
    const metadata = { ...body.metadata, uid: current.metadata.uid }
    metadata.resourceVersion = current.metadata.resourceVersion
    const next = { ...body, metadata }
    if (isDeepStrictEqual(next, current)) return current
    metadata.resourceVersion = this.#next()
    return this.#keep(path, next)
  }

  patch(path: string, patch: { metadata?: { resourceVersion?: string; uid?: string } }) {
    const current = this.get(path)
    const { resourceVersion, uid } = patch.metadata ?? {}
    if (uid !== undefined && uid !== current.metadata.uid) throw invalid('uid is immutable')
    if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) {
      throw conflict(path)
    }
    return this.replace(path, mergePatch(current, patch) as KubeObject)
  }

  delete(path: string): KubeObject {
    const object = this.get(path)
    this.#objects.delete(path)
    return object
  }

  #keep(path: string, object: KubeObject): KubeObject {
    // As JSON: what was undefined is absent, as after the real one's etcd.
    const kept = JSON.parse(JSON.stringify(object)) as KubeObject
    this.#objects.set(path, kept)
    return kept
  }

  #next(): string {
    return String(++this.#version)
  }
}
