import type { MeiliHaError } from '../errors.ts'
import type { ObjectInfo } from '../store/store.ts'
import type { ClusterRecord } from './cluster.ts'
import type { Manifest, ManifestObject } from './manifest.ts'
import type { Position } from './names.ts'

/** A published snapshot (or claim): a manifest that could be read. */
export interface Snapshot extends Position {
  kind: 'snapshot'
  id: string
  /** Of the manifest. */
  key: string
  etag: string
  manifest: Manifest
}

/** A manifest that can't be read. It is named and kept, never deleted: it may be somebody's last. */
export interface Unreadable extends Position {
  kind: 'unreadable'
  id: string
  key: string
  etag: string
  /** MANIFEST_INVALID or MANIFEST_NEWER_FORMAT. */
  error: MeiliHaError
  newerFormat: boolean
  /** False only when its own text still shows that it isn't the archive of a stopped directory. */
  mayBeFinal: boolean
}

export type Entry = Snapshot | Unreadable

/** A manifest that the LIST named, and that nobody has read. */
export interface Unread extends Position {
  kind: 'unread'
  id: string
  key: string
  etag: string
}

/** What one LIST, and the manifests in it, say. A value: nothing in it changes. */
export interface CatalogView {
  /** Undefined when there is no cluster.json. */
  cluster: ClusterRecord | undefined
  /** Newest first. */
  entries: readonly Entry[]
  /** By key; uploads that aren't finished are not among them. */
  tarballs: ReadonlyMap<string, ObjectInfo>
  /** Keys of `.json` objects whose name isn't a manifest's: they might name a tarball all the same. */
  strangers: readonly string[]
}

/**
 * What one LIST, and only some of the manifests in it, say: enough for whoever asked, in a store of
 * any number of manifests. Whatever is taken to be true of all of them needs a CatalogView.
 */
export interface PartialView extends Omit<CatalogView, 'entries'> {
  /** Newest first; all that the LIST named. */
  entries: readonly (Entry | Unread)[]
}

/** A snapshot that has a tarball, unlike the claim of an empty beginning. */
export type Restorable = Snapshot & { manifest: { object: ManifestObject } }

/** True when no manifest was left unread. */
export function isComplete(view: PartialView): view is CatalogView {
  return view.entries.every((entry) => entry.kind !== 'unread')
}

/** The readable ones, newest first; of a partial view, those that were read. */
export function snapshotsOf(view: PartialView): Snapshot[] {
  return view.entries.filter((entry) => entry.kind === 'snapshot')
}

/** The highest epoch that any manifest's name bears, readable or not; undefined in an empty store. */
export function newestEpoch(view: PartialView): number | undefined {
  return view.entries[0]?.epoch
}

/** Cluster.json, or any manifest at all: the store has been used, so nobody may start empty. */
export function isInitialised(view: PartialView): boolean {
  return view.cluster !== undefined || view.entries.length > 0
}

/**
 * Whether the tarball is there, whole as far as a LIST can tell.
 * @returns `gone` and `wrong-size` are damage; `none` is the claim of an empty beginning
 */
export function tarballState(
  view: Pick<CatalogView, 'tarballs'>,
  snapshot: Snapshot,
): 'good' | 'none' | 'gone' | 'wrong-size' {
  const object = snapshot.manifest.object
  if (object === null) return 'none'
  const listed = view.tarballs.get(object.key)
  if (!listed) return 'gone'
  return listed.size === object.size ? 'good' : 'wrong-size'
}

/** True when the LIST shows the snapshot's tarball, of the right size. */
export function isGood(
  view: Pick<CatalogView, 'tarballs'>,
  snapshot: Snapshot,
): snapshot is Restorable {
  return tarballState(view, snapshot) === 'good'
}

/**
 * True when both hold the same content: then nobody needs to download again after a failover,
 * though the claim has another id than what it claims.
 * @param tarball a manifest's object.sha256, or a lineage's tarball
 */
export function isLevelWith(snapshot: Snapshot, tarball: string | null): boolean {
  return tarball !== null && snapshot.manifest.object?.sha256 === tarball
}
