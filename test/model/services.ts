import type { LeaseRecord, VersionedRecord } from '@meili-ha/lease-keeper/lease/lease.ts'
import type { Pod } from '@meili-ha/lease-keeper/event.ts'
import { Refused } from './network.ts'

/** The lease: one record, changed under its version. */
export class LeaseRegister {
  record: LeaseRecord | undefined
  #version = 0
  readonly past: LeaseRecord[] = []
  onWrite: (record: LeaseRecord, last: LeaseRecord | undefined, by: string | null) => void =
    () => {}

  read(): VersionedRecord | undefined {
    return this.record && { record: this.record, version: String(this.#version) }
  }

  create(record: LeaseRecord, by: string): VersionedRecord {
    if (this.record) throw new Refused('exists')
    return this.put(record, by)
  }

  update(record: LeaseRecord, version: string, by: string): VersionedRecord {
    if (!this.record || version !== String(this.#version)) throw new Refused('conflict')
    return this.put(record, by)
  }

  /** Unconditional: a person's edit. */
  put(record: LeaseRecord, by: string | null): VersionedRecord {
    const last = this.record
    this.#version += 1
    this.record = record
    if (this.past.length < 200) this.past.push(record)
    this.onWrite(record, last, by)
    return { record, version: String(this.#version) }
  }

  remove(): void {
    this.record = undefined
    this.#version += 1
  }
}

/** The API server's pods: a no-op PATCH leaves the version as it is. */
export class Pods {
  readonly #pods = new Map<
    string,
    { version: number; primary: boolean; reads: boolean; mark: string }
  >()
  onChange: (member: string) => void = () => {}

  add(member: string): void {
    this.#pods.set(member, { version: 1, primary: false, reads: false, mark: '' })
  }

  read(member: string): Pod {
    const pod = this.#pods.get(member)!
    return { version: String(pod.version), primary: pod.primary, reads: pod.reads }
  }

  labelled(member: string): boolean {
    return this.#pods.get(member)!.primary
  }

  patch(
    member: string,
    version: string,
    change: { primary: boolean; reads?: boolean; mark: string },
  ): Pod {
    const pod = this.#pods.get(member)!
    if (version !== String(pod.version)) throw new Refused('conflict')
    const next = { ...pod, ...change }
    if (next.primary !== pod.primary || next.reads !== pod.reads || next.mark !== pod.mark) {
      this.#pods.set(member, { ...next, version: pod.version + 1 })
      this.onChange(member)
    }
    return this.read(member)
  }
}

/** What a directory or snapshot holds: one bit per acknowledged write. */
export type Content = bigint
export const holdsAll = (content: Content, wanted: Content): boolean => (wanted & ~content) === 0n

export interface Snapshot {
  id: string
  epoch: number
  seq: number
  writer: string
  content: Content
  tarball: string
  startedAt: string
  /** Claims only. */
  of?: string | null
  final?: true
}

export const idOf = (epoch: number, seq: number): string =>
  `${String(epoch).padStart(10, '0')}-${String(seq).padStart(10, '0')}`

/** The bucket: manifests with what their tarballs hold. */
export class SnapshotStore {
  readonly manifests: Snapshot[] = []
  onPut: (snapshot: Snapshot) => void = () => {}

  /** If-None-Match: * */
  put(snapshot: Snapshot): void {
    if (this.get(snapshot.id)) throw new Refused('exists')
    this.manifests.push(snapshot)
    this.onPut(snapshot)
  }

  get(id: string): Snapshot | undefined {
    return this.manifests.find((snapshot) => snapshot.id === id)
  }

  list(): Snapshot[] {
    return [...this.manifests]
  }
}

export const newestOf = (list: readonly Snapshot[]): Snapshot | undefined => {
  let newest: Snapshot | undefined
  for (const one of list) if (!newest || one.id > newest.id) newest = one
  return newest
}
