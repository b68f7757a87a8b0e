import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { snapshotsOf, type CatalogView } from '@meili-ha/core/catalog/catalog-view.ts'
import { assertCluster, clusterIdOf, ensureCluster } from '@meili-ha/core/catalog/cluster.ts'
import { MANIFEST_FORMAT, type Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { formatId, SNAPSHOTS, tarballKey } from '@meili-ha/core/catalog/names.ts'
import { nextSeq } from '@meili-ha/core/catalog/next-seq.ts'
import { publishManifest } from '@meili-ha/core/catalog/publish-manifest.ts'
import type { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { BootClock } from '@meili-ha/core/ha/boot-clock.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import type { claimSchema } from '@meili-ha/core/ha/sync.ts'
import type { Want } from '@meili-ha/core/ha/want.ts'
import type * as z from 'zod'
import { archiveInto, type Archived } from '../publish-archive.ts'
import type { PublishedNote } from './published-note.ts'
import { assertStopped } from './stopped.ts'
import { assertWanted, whileWanted } from './wanted.ts'
import { claimManifest } from './write-claim.ts'

export interface TermWriterOptions {
  catalog: CatalogReader
  member: string
  dataMs: string
  ha: HaDir
  clock: BootClock
  note: PublishedNote
  log: Logger
  /** gzip level of archives. */
  level: number
  /** Called with the manifest of a claim or a final snapshot, as soon as it is published. */
  onPublished: (manifest: Manifest, view: CatalogView) => Promise<void>
}

/** Writes the two manifests that a term of leadership begins and ends with. */
export class TermWriter {
  readonly #options: TermWriterOptions

  constructor(options: TermWriterOptions) {
    this.#options = options
  }

  /**
   * Writes the claim that the fetcher decided; one that is there already is adopted.
   * @param clusterId of the lineage; null = this is the bootstrap
   */
  async claim(
    claim: z.infer<typeof claimSchema>,
    clusterId: string | null,
    signal: AbortSignal,
  ): Promise<void> {
    const { catalog, ha, clock, note, member, log } = this.#options
    const { epoch, of } = claim
    const began = performance.now()
    if (claim.archive) await assertStopped(ha, clock)
    const view = await catalog.read()
    const cluster = clusterId ?? clusterIdOf(view) ?? randomUUID()
    assertCluster(view, cluster)
    const createdAt = new Date().toISOString()
    const own = ownClaim(view, claim, member)
    if (own) {
      await this.#options.onPublished(own, view)
    } else {
      const id = formatId({ epoch, seq: 0 })
      const archived = claim.archive
        ? await this.#archive(id, { verb: 'promote', epoch }, signal)
        : undefined
      const facts = { clusterId: cluster, writer: member, createdAt }
      const manifest = claimManifest(view, claim, facts, archived)
      await this.#publish(manifest, { verb: 'promote', epoch })
    }
    // After the claim, which names the cluster too: a store with nothing but cluster.json is one whose
    // snapshots were removed, and a first promotion that ended in between left everyone locked out.
    await ensureCluster(catalog.store, { clusterId: cluster, createdAt })
    await note.set({ claimed: epoch, failed: null, nextSeq: { epoch, seq: 1 } })
    const durationMs = Math.round(performance.now() - began)
    log.info({ event: 'claim.written', epoch, of, durationMs }, `claimed epoch ${epoch}`)
  }

  /** Archives the stopped directory and publishes it as the last snapshot of the epoch. */
  async final(epoch: number, signal: AbortSignal): Promise<void> {
    const { catalog, ha, clock, note, member, log } = this.#options
    const want: Want = { verb: 'final', epoch }
    const began = performance.now()
    await assertStopped(ha, clock)
    const view = await catalog.read()
    const clusterId = clusterIdOf(view)
    if (clusterId === undefined) {
      throw new MeiliHaError('WRONG_CLUSTER', 'the store has lost its cluster id')
    }
    const uploads = await catalog.store.listUploads(SNAPSHOTS)
    const seq = nextSeq(view, uploads, epoch, note.lowest())
    const id = formatId({ epoch, seq })
    await note.use({ epoch, seq })
    // Meilisearch is stopped: whatever it acknowledged lies in the directory now.
    const createdAt = new Date().toISOString()
    const archived = await this.#archive(id, want, signal)
    const manifest: Manifest = {
      format: MANIFEST_FORMAT,
      id,
      epoch,
      seq,
      createdAt,
      clusterId,
      writer: member,
      ...archived,
      tasks: { snapshotStartedAt: createdAt },
      final: true,
    }
    await this.#publish(manifest, want)
    // Given up meanwhile, it may be leading again: what it writes from now on isn't in this snapshot.
    await assertWanted(ha, want)
    await note.set({ final: { epoch, id, tarball: archived.object.sha256 }, failed: null })
    const durationMs = Math.round(performance.now() - began)
    const sizeBytes = archived.object.size
    log.info({ event: 'final.published', id, sizeBytes, durationMs }, `published the final ${id}`)
  }

  /** Of a directory that was stopped when this was called; whether it still is, is looked at last. */
  async #archive(id: string, want: Want, signal: AbortSignal): Promise<Archived> {
    const { ha, clock, catalog, dataMs, level, note } = this.#options
    const began = performance.now()
    let sent = 0
    const onProgress = (bytes: number) => {
      sent += bytes
      note.set({ progress: note.facts.progress + bytes }).catch(() => {})
    }
    const key = tarballKey(id, new Date())
    const archived = await whileWanted(ha, want, signal, (wanted) =>
      archiveInto(catalog.store, key, dataMs, { level, signal: wanted, onProgress }),
    )
    // It must have stayed stopped, and the keeper must still want it.
    await assertStopped(ha, clock)
    await assertWanted(ha, want)
    const bytesPerSecond = Math.round((sent * 1000) / Math.max(1, performance.now() - began))
    await note.set({ bytesPerSecond })
    return archived
  }

  async #publish(manifest: Manifest, want: Want): Promise<void> {
    const { catalog, member, ha, onPublished } = this.#options
    await assertWanted(ha, want)
    const publisher = { epoch: manifest.epoch, member, firstSeen: new Map<string, string>() }
    await onPublished(manifest, await publishManifest(catalog, manifest, publisher))
  }
}

/**
 * The claim of this epoch that this member wrote already, before a crash.
 * @throws STORE_CONFLICT when it claims something else than what was decided
 */
function ownClaim(
  view: CatalogView,
  claim: z.infer<typeof claimSchema>,
  member: string,
): Manifest | undefined {
  const found = snapshotsOf(view).find(({ epoch, seq }) => epoch === claim.epoch && seq === 0)
  if (found?.manifest.writer !== member) return undefined
  if (found.manifest.claim?.of === claim.of) return found.manifest
  throw new MeiliHaError(
    'STORE_CONFLICT',
    `epoch ${claim.epoch} claims ${found.manifest.claim?.of ?? 'nothing'} already, not ${claim.of ?? 'nothing'}`,
  )
}
