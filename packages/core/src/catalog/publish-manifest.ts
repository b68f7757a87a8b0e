import { isDeepStrictEqual } from 'node:util'
import { isError, MeiliHaError } from '../errors.ts'
import type { Store } from '../store/store.ts'
import { isGood, type PartialView } from './catalog-view.ts'
import { assertCluster } from './cluster.ts'
import { parseManifest, type Manifest } from './manifest.ts'
import { assertMayClaim, assertMayPublish, type Publisher } from './may-publish.ts'
import { manifestKey } from './names.ts'

/**
 * Publishes a snapshot (or a claim) whose tarball is in the store: looks whether it may, writes
 * the manifest, and looks again, since others may have written in between.
 * @param reader reads at least whatever `assertMayPublish` asks about
 * @returns the catalog after the write, with the new manifest in it
 * @throws SUPERSEDED, SECOND_WRITER, CLAIM_MISSING (see assertMayPublish), WRONG_CLUSTER,
 * STORE_NOT_FOUND when the tarball isn't there (swept meanwhile: upload it again, under a new
 * seq), STORE_CONFLICT when the name holds other content. After any of them nothing counts as
 * published, though the manifest may lie there.
 */
export async function publishManifest<V extends PartialView>(
  reader: { store: Store; read: () => Promise<V> },
  manifest: Manifest,
  publisher: Publisher,
): Promise<V> {
  check(await reader.read(), manifest, publisher)
  await writeManifest(reader.store, manifest)
  const after = await reader.read()
  check(after, manifest, publisher)
  const written = after.entries.find((entry) => entry.id === manifest.id)
  if (written?.kind !== 'snapshot' || !isSameManifest(written.manifest, manifest)) {
    throw new MeiliHaError('STORE_CONFLICT', `${manifest.id} was written, but isn't what is there`)
  }
  return after
}

/**
 * Writes a manifest once. What a lost answer or a conflict means is found out by reading.
 * The look before the write is for stores that ignore the condition.
 * @throws STORE_CONFLICT when other content is there.
 */
export async function writeManifest(store: Store, manifest: Manifest): Promise<void> {
  const { id } = manifest
  if (await isThere(store, manifest)) return
  try {
    await store.put(manifestKey(id), `${JSON.stringify(manifest, null, 2)}\n`, { ifNoneMatch: '*' })
  } catch (error) {
    if (!isError(error, 'STORE_CONFLICT', 'STORE_UNREACHABLE')) throw error
    if (!(await isThere(store, manifest))) throw error
  }
}

/** Same but for the moment of writing: a claim that is written again after a crash is the same claim. */
export function isSameManifest(a: Manifest, b: Manifest): boolean {
  const content = (manifest: Manifest) =>
    JSON.parse(JSON.stringify({ ...manifest, createdAt: '' })) as unknown
  return isDeepStrictEqual(content(a), content(b))
}

async function isThere(store: Store, manifest: Manifest): Promise<boolean> {
  const { id } = manifest
  let body: Buffer
  try {
    ;({ body } = await store.get(manifestKey(id)))
  } catch (error) {
    if (isError(error, 'STORE_NOT_FOUND')) return false
    throw error
  }
  if (isSameManifest(parseManifest(id, body), manifest)) return true
  throw new MeiliHaError('STORE_CONFLICT', `${id} is there already, with other content`)
}

function check(view: PartialView, manifest: Manifest, publisher: Publisher): void {
  assertCluster(view, manifest.clusterId)
  if (manifest.claim) assertMayClaim(view, publisher)
  else assertMayPublish(view, publisher)
  const snapshot = { kind: 'snapshot' as const, key: '', etag: '', ...pick(manifest), manifest }
  if (manifest.object && !isGood(view, snapshot)) {
    throw new MeiliHaError('STORE_NOT_FOUND', `tarball ${manifest.object.key} isn't in the store`)
  }
}

function pick({ id, epoch, seq }: Manifest) {
  return { id, epoch, seq }
}
