import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { combineDigests } from '@meili-ha/core/archive/digests.ts'
import type { PartialView } from '@meili-ha/core/catalog/catalog-view.ts'
import { assertCluster, clusterIdOf, ensureCluster } from '@meili-ha/core/catalog/cluster.ts'
import { MANIFEST_FORMAT, type Manifest } from '@meili-ha/core/catalog/manifest.ts'
import {
  assertMayPublish,
  firstSeenOf,
  type FirstSeen,
} from '@meili-ha/core/catalog/may-publish.ts'
import {
  formatId,
  parseId,
  parseKey,
  SNAPSHOTS,
  tarballKey,
  type Position,
} from '@meili-ha/core/catalog/names.ts'
import { nextSeq, resumableUpload } from '@meili-ha/core/catalog/next-seq.ts'
import { publishManifest } from '@meili-ha/core/catalog/publish-manifest.ts'
import type { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { findPublished } from './find-published.ts'
import { readToPublish } from './read-to-publish.ts'
import { isFinal, type SnapshotFile } from './snapshot-file.ts'
import type { Terms } from './terms.ts'
import { transfer, type Transferred } from './transfer.ts'

/** What is known about a snapshot besides its bytes. */
export interface SnapshotContext {
  tasks: Manifest['tasks']
  annotations: string | undefined
}

/** Remembers across restarts which seqs were used, before the first request that uses them. */
export interface SeqNote {
  lowest(): Position | null
  use(position: Position): Promise<void>
}

export interface PublisherOptions {
  catalog: CatalogReader
  terms: Terms
  member: string
  /** The id that the data directory's lineage bears; undefined = none (yet). */
  clusterId: () => Promise<string | undefined>
  log: Logger
  /** With a lease: where the lowest unused seq is noted; see nextSeq. */
  seqs?: SeqNote | undefined
  /** Reads no more manifests than one publication without a lease needs; else all. */
  sparing?: boolean
  onPart: (part: { bytes: number; reused: boolean }) => void
}

export type Published = { already: boolean; manifest: Manifest; view: PartialView }

/** Publishes one snapshot file after the other: check, upload, manifest last. */
export class SnapshotPublisher {
  readonly #options: PublisherOptions
  #firstSeen: FirstSeen | undefined

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /**
   * Looks at the store before anything is sent: may this member publish, in which epoch?
   * @throws NOT_PERMITTED, SUPERSEDED, SECOND_WRITER, CLAIM_MISSING, WRONG_CLUSTER, STORE_*
   */
  async look(file?: SnapshotFile): Promise<{ view: PartialView; epoch: number }> {
    const { terms, member } = this.#options
    const epoch = await terms.current()
    if (epoch === undefined) {
      throw new MeiliHaError('NOT_PERMITTED', 'this member holds no primary permit')
    }
    const view = await this.#read(epoch, file)
    this.#firstSeen ??= firstSeenOf(view)
    const clusterId = await this.#options.clusterId()
    if (clusterId !== undefined) assertCluster(view, clusterId)
    assertMayPublish(view, { epoch, member, firstSeen: this.#firstSeen })
    return { view, epoch }
  }

  /**
   * Publishes the file under the next seq of the epoch; unless this very content is there already.
   * @throws as look(); SNAPSHOT_* when the file is no good; CANCELLED when `signal` aborted
   */
  async publish(
    file: SnapshotFile,
    context: Promise<SnapshotContext>,
    signal: AbortSignal,
  ): Promise<Published> {
    const { catalog, log, onPart } = this.#options
    const { view, epoch } = await this.look(file)
    const published = await findPublished(view, epoch, file, signal)
    if (published) return { already: true, manifest: published, view }

    const { id, key } = await this.#reserve(view, epoch, file)
    log.info({ event: 'upload.started', id, sizeBytes: file.size }, `uploading ${id}`)
    const transferred = await transfer(catalog.store, key, file, signal, onPart).catch(
      async (error: unknown) => {
        if (isFinal(error)) await this.#discard(key)
        throw error
      },
    )
    await this.#assertSameTerm(epoch)
    const clusterId = await this.#ensureCluster(view)
    const manifest = this.#describe(id, key, file, transferred, clusterId, await context)
    const publisher = {
      epoch,
      member: this.#options.member,
      firstSeen: this.#firstSeen as FirstSeen,
    }
    const reader = { store: catalog.store, read: () => this.#read(epoch, file) }
    return {
      already: false,
      manifest,
      view: await publishManifest(reader, manifest, publisher),
    }
  }

  #read(epoch: number, file: SnapshotFile | undefined): Promise<PartialView> {
    const { catalog, sparing } = this.#options
    return sparing && epoch === 0 && file
      ? readToPublish(catalog, this.#firstSeen, file.modifiedAt)
      : catalog.read()
  }

  /** The unfinished upload of this very file, else a name that nothing bears yet. */
  async #reserve(view: PartialView, epoch: number, file: SnapshotFile) {
    const { catalog, seqs } = this.#options
    const uploads = await catalog.store.listUploads(SNAPSHOTS)
    const lowest = seqs?.lowest() ?? null
    if (lowest?.epoch === epoch) {
      // MinIO shows an upload only to those who name it: the last seq that was used may be this file's.
      const last = formatId({ epoch, seq: lowest.seq - 1 })
      uploads.push(...(await catalog.store.listUploads(tarballKey(last, file.modifiedAt))))
    }
    const resumed = resumableUpload(view, uploads, epoch, file.modifiedAt)
    const name = resumed && parseKey(resumed.key)
    if (resumed && name) return { id: name.id, key: resumed.key }
    const seq = nextSeq(view, uploads, epoch, lowest)
    await seqs?.use({ epoch, seq })
    const id = formatId({ epoch, seq })
    return { id, key: tarballKey(id, file.modifiedAt) }
  }

  /** An upload isn't carried into another epoch: what it holds may be older than that one's claim. */
  async #assertSameTerm(epoch: number): Promise<void> {
    if ((await this.#options.terms.current()) === epoch) return
    throw new MeiliHaError('NOT_PERMITTED', `epoch ${epoch} ended during the upload`)
  }

  async #ensureCluster(view: PartialView): Promise<string> {
    const wanted = (await this.#options.clusterId()) ?? clusterIdOf(view) ?? randomUUID()
    if (view.cluster?.clusterId === wanted) return wanted
    const createdAt = new Date().toISOString()
    return (await ensureCluster(this.#options.catalog.store, { clusterId: wanted, createdAt }))
      .clusterId
  }

  /** Removes what was sent of a file that is no good. The sweep would get it later anyway. */
  async #discard(key: string): Promise<void> {
    const { store } = this.#options.catalog
    try {
      for (const upload of await store.listUploads(key)) await store.abortUpload(upload)
      await store.delete(key)
    } catch (error) {
      this.#options.log.warn({ event: 'upload.discard_failed', err: error }, 'left for the sweep')
    }
  }

  #describe(
    id: string,
    key: string,
    file: SnapshotFile,
    { stored, partSize, report }: Transferred,
    clusterId: string,
    { tasks, annotations }: SnapshotContext,
  ): Manifest {
    const { epoch, seq } = parseId(id) as Position
    return {
      format: MANIFEST_FORMAT,
      id,
      epoch,
      seq,
      createdAt: new Date().toISOString(),
      clusterId,
      writer: this.#options.member,
      object: {
        key,
        size: file.size,
        partSize,
        parts: stored.parts,
        sha256: combineDigests(stored.parts),
      },
      meilisearch: { version: report.version },
      contents: { indexes: report.indexes, unpackedBytes: report.unpackedBytes },
      tasks,
      ...(annotations === undefined ? {} : { annotations }),
    }
  }
}
