import { open } from 'node:fs/promises'
import { combineDigests } from '@meili-ha/core/archive/digests.ts'
import { verifySnapshot } from '@meili-ha/core/archive/verify-snapshot.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { formatId, manifestKey, tarballKey } from '@meili-ha/core/catalog/names.ts'
import { partSizeFor } from '@meili-ha/core/store/part-size.ts'
import type { Store } from '@meili-ha/core/store/store.ts'

export const CLUSTER = 'cluster-of-tests'

export interface Publication {
  epoch?: number
  seq: number
  writer?: string
  final?: true
  clusterId?: string
  /** Minutes after an arbitrary beginning: when its making began. */
  minute?: number
  claimOf?: string
}

/** Publishes a tarball under any name, as no uploader would: zombies and strangers included. */
export async function publish(store: Store, file: string, what: Publication): Promise<Manifest> {
  const { epoch = 0, seq, writer = 'm1', clusterId = CLUSTER, minute = seq, final, claimOf } = what
  const id = formatId({ epoch, seq })
  const at = new Date(Date.UTC(2026, 10, 23, 8, minute))
  const key = tarballKey(id, at)
  await using handle = await open(file)
  const { size } = await handle.stat()
  const partSize = partSizeFor(size)
  const { parts } = await store.putFile(key, { handle, size }, { partSize })
  const report = await verifySnapshot(
    handle.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>,
  )
  const manifest: Manifest = {
    format: 1,
    id,
    epoch,
    seq,
    createdAt: at.toISOString(),
    clusterId,
    writer,
    object: { key, size, partSize, parts, sha256: combineDigests(parts) },
    meilisearch: { version: report.version },
    contents: { indexes: report.indexes, unpackedBytes: report.unpackedBytes },
    tasks: { snapshotStartedAt: at.toISOString() },
    ...(seq === 0 && epoch > 0 && { claim: { of: claimOf ?? null } }),
    ...(final && { final }),
  }
  await put(store, manifest)
  return manifest
}

/** A claim of what is published already: the same tarball under the first name of an epoch. */
export async function claim(
  store: Store,
  of: Manifest | null,
  epoch: number,
  writer: string,
): Promise<Manifest> {
  const id = formatId({ epoch, seq: 0 })
  const base = of ?? {
    format: 1 as const,
    clusterId: CLUSTER,
    meilisearch: { version: null },
    contents: { indexes: 0, unpackedBytes: 0 },
    tasks: {},
  }
  const { final: _, ...rest } = { final: undefined, ...base }
  const manifest = {
    ...rest,
    id,
    epoch,
    seq: 0,
    writer,
    createdAt: new Date(Date.UTC(2026, 10, 23, 9, epoch)).toISOString(),
    object: of?.object ?? null,
    claim: { of: of?.id ?? null },
  } as Manifest
  await put(store, manifest)
  return manifest
}

async function put(store: Store, manifest: Manifest): Promise<void> {
  const { clusterId } = manifest
  const cluster = { clusterId, createdAt: '2026-11-23T08:00:00Z' }
  await store.put('cluster.json', JSON.stringify(cluster))
  await store.put(manifestKey(manifest.id), JSON.stringify(manifest))
}
