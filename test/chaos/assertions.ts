import { join } from 'node:path'
import { expect } from 'vitest'
import { inspectDataDirectory } from '@meili-ha/core/data-dir/inspect.ts'
import { readLineage } from '@meili-ha/core/data-dir/lineage.ts'
import { treeOf } from '../fetcher/tree.ts'
import type { Original } from './originals.ts'
import type { TroubledStore } from './troubled-store.ts'

/** Whatever is listed has its tarball, byte for byte one that Meilisearch made. */
export async function assertRestorable(
  store: TroubledStore,
  made: readonly Original[],
): Promise<number> {
  const objects = await store.objects()
  const manifests = [...objects].filter(([key]) => /^snapshots\/.*\.json$/.test(key))
  for (const [key, body] of manifests) {
    const { object } = JSON.parse(body.toString()) as { object: { key: string; sha256: string } }
    const original = made.find((one) => one.sha256 === object.sha256)
    expect(original, `${key} names a tarball that nobody made`).toBeDefined()
    const stored = objects.get(object.key)
    expect(stored, `the tarball of ${key} is gone`).toBeDefined()
    expect(stored?.equals(original!.bytes), `the tarball of ${key} is another`).toBe(true)
  }
  return manifests.length
}

/** The data directory is absent, or whole and what its lineage says. @returns the latter */
export async function assertWholeOrAbsent(
  data: string,
  made: readonly Original[],
): Promise<Original | undefined> {
  const live = join(data, 'data.ms')
  const { state } = await inspectDataDirectory(live)
  expect(['absent', 'whole']).toContain(state)
  if (state === 'absent') return undefined
  const lineage = await readLineage(live)
  const original = made.find((one) => one.sha256 === lineage?.tarball)
  expect(original, 'the lineage names a snapshot that nobody made').toBeDefined()
  expect(await treeOf(live)).toEqual(original!.tree)
  return original
}
