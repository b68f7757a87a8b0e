import { createHash } from 'node:crypto'
import { combineDigests } from '../archive/digests.ts'
import { CatalogReader } from './read-catalog.ts'
import type { CatalogView } from './catalog-view.ts'
import { MANIFEST_FORMAT, type Manifest } from './manifest.ts'
import { MemoryStore } from './memory-store.ts'
import { formatId, manifestKey, tarballKey } from './names.ts'

export const CLUSTER = 'test-cluster'
const BEGIN = Date.parse('2026-11-01T00:00:00Z')

/** The tarball that a test's snapshot has: its content is its key. */
export function objectFor(epoch: number, seq: number, hour = 0): Manifest['object'] & object {
  const key = tarballKey(formatId({ epoch, seq }), new Date(BEGIN + hour * 3_600_000))
  const parts = [createHash('sha256').update(key).digest('hex')]
  return { key, size: key.length, partSize: 8, parts: pad(parts, key.length), sha256: '' }
}

function pad(parts: string[], size: number): string[] {
  return Array.from({ length: Math.ceil(size / 8) }, () => parts[0] as string)
}

/** @param hour hours since the first of November 2026 */
export function manifestFor(
  epoch: number,
  seq: number,
  more: Partial<Manifest> & { hour?: number } = {},
): Manifest {
  const { hour = 0, ...rest } = more
  const object = rest.object === undefined ? objectFor(epoch, seq, hour) : rest.object
  return {
    format: MANIFEST_FORMAT,
    id: formatId({ epoch, seq }),
    epoch,
    seq,
    createdAt: new Date(BEGIN + hour * 3_600_000).toISOString(),
    clusterId: CLUSTER,
    writer: `member-${epoch}`,
    meilisearch: { version: '1.50.0' },
    contents: { indexes: 1, unpackedBytes: 1 },
    tasks: {},
    ...rest,
    object: object && { ...object, sha256: combineDigests(object.parts) },
  }
}

/** The manifest with which `epoch` begins, on top of `of`. */
export function claimFor(epoch: number, of: Manifest | null, hour = 0): Manifest {
  const claim = { of: of?.id ?? null }
  return manifestFor(epoch, 0, { hour, claim, object: of?.object ?? null })
}

/** A store with these manifests and their tarballs in it. */
export async function storeOf(...manifests: Manifest[]): Promise<MemoryStore> {
  const store = new MemoryStore()
  for (const manifest of manifests) await lay(store, manifest)
  return store
}

/** Puts tarball and manifest there, as something that has been there before. */
export async function lay(store: MemoryStore, manifest: Manifest): Promise<void> {
  if (manifest.object) await store.put(manifest.object.key, manifest.object.key)
  await store.put(manifestKey(manifest.id), JSON.stringify(manifest))
}

export async function viewOf(...manifests: Manifest[]): Promise<CatalogView> {
  return new CatalogReader(await storeOf(...manifests)).read()
}
