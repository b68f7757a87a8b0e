import { copyFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { combineDigests } from '@meili-ha/core/archive/digests.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { readLineage } from '@meili-ha/core/data-dir/lineage.ts'
import { treeOf, treeOfSnapshot } from '../fetcher/tree.ts'
import { FIXTURES } from '../uploader/programs.ts'
import { storeScene, type StoreScene } from './store-scene.ts'

const EMPTY = join(FIXTURES, 'empty.snapshot')
const CATALOGUE = join(FIXTURES, 'catalogue.snapshot')
const BACKLOG = join(FIXTURES, 'backlog.snapshot')
const OLDER = '0000000000-0000000001'
const NEWEST = '0000000000-0000000002'
const NEXT = '0000000000-0000000003'
const NOTHING = {}

type ManifestObject = NonNullable<Manifest['object']>

interface Listed {
  id: string
  state: string
}

interface Damage {
  name: string
  do: (scene: StoreScene, older: Manifest, newest: Manifest) => Promise<unknown>
  /** What `list` says of the newest; undefined = nothing, it isn't there. */
  listed: string | undefined
  /** What `restore` then gives; 20: a person must look. */
  restored: typeof OLDER | 'exit 20'
  verifies?: boolean
}

const withObject =
  (change: (object: ManifestObject) => Partial<ManifestObject>) => (m: Manifest) => ({
    ...m,
    object: m.object && { ...m.object, ...change(m.object) },
  })

const DAMAGES: Damage[] = [
  {
    name: 'the manifest is no JSON',
    do: ({ manifestPath }) => writeFile(manifestPath(NEWEST), '{"format": 1, "id'),
    ...{ listed: 'unreadable', restored: OLDER },
  },
  {
    name: 'the manifest is empty',
    do: ({ manifestPath }) => writeFile(manifestPath(NEWEST), ''),
    ...{ listed: 'unreadable', restored: OLDER },
  },
  {
    name: 'the manifest is gone',
    do: ({ manifestPath }) => rm(manifestPath(NEWEST)),
    ...{ listed: undefined, restored: OLDER, verifies: true },
  },
  {
    name: 'the manifest has a newer format',
    do: ({ edit }) => edit(NEWEST, (manifest) => ({ ...manifest, format: 2 })),
    ...{ listed: 'newer-format', restored: 'exit 20' },
  },
  {
    name: 'the manifest is a copy of another',
    do: ({ manifestPath }) => copyFile(manifestPath(OLDER), manifestPath(NEWEST)),
    ...{ listed: 'unreadable', restored: OLDER },
  },
  {
    name: "the manifest names another's tarball",
    do: ({ edit }, { object }) => edit(NEWEST, (manifest) => ({ ...manifest, object })),
    ...{ listed: 'unreadable', restored: OLDER },
  },
  {
    name: 'the manifest does not agree with itself',
    do: ({ edit }) =>
      edit(
        NEWEST,
        withObject(() => ({ sha256: 'a'.repeat(64) })),
      ),
    ...{ listed: 'unreadable', restored: OLDER },
  },
  {
    name: 'the manifest has digests of something else',
    do: ({ edit }) => {
      const parts = ['b'.repeat(64)]
      return edit(
        NEWEST,
        withObject(() => ({ parts, sha256: combineDigests(parts) })),
      )
    },
    ...{ listed: 'good', restored: OLDER },
  },
  {
    name: 'the manifest says another size',
    do: ({ edit }) =>
      edit(
        NEWEST,
        withObject(({ size }) => ({ size: size - 1 })),
      ),
    ...{ listed: 'tarball-short', restored: OLDER },
  },
  {
    name: 'the tarballs are swapped',
    do: async ({ tarballPath, at }, older, newest) => {
      await rename(tarballPath(older), at('aside'))
      await rename(tarballPath(newest), tarballPath(older))
      await rename(at('aside'), tarballPath(newest))
    },
    ...{ listed: 'tarball-short', restored: 'exit 20' },
  },
  {
    name: 'every tarball is gone',
    do: async ({ tarballPath }, older, newest) => {
      await rm(tarballPath(older))
      await rm(tarballPath(newest))
    },
    ...{ listed: 'tarball-gone', restored: 'exit 20' },
  },
]

test.each(DAMAGES)('$name: said, never served, and healed by the next snapshot', async (damage) => {
  await using scene = await storeScene()
  await scene.publish(EMPTY)
  await scene.publish(CATALOGUE)
  const [newest, older] = (await scene.manifests()) as [Manifest, Manifest]
  await damage.do(scene, older, newest)

  const listed = JSON.parse((await scene.run('list', '--json')).stdout) as Listed[]
  expect(listed.find(({ id }) => id === NEWEST)?.state).toBe(damage.listed)
  expect((await scene.run('verify', '--all')).code).toBe(damage.verifies ? 0 : 1)

  const { code, stderr } = await scene.restore()
  const lineage = await readLineage(scene.live)
  expect(lineage?.snapshotId ?? `exit ${code}`, stderr).toBe(damage.restored)
  const found = await treeOf(scene.live).catch(() => NOTHING)
  expect(found).toEqual(damage.restored === OLDER ? await treeOfSnapshot(EMPTY) : NOTHING)
  // Whoever reads the log afterwards finds which one was passed over.
  expect(stderr.includes(NEWEST)).toBe(damage.listed !== undefined)

  const next = await scene.publish(BACKLOG)
  expect(next).toMatchObject({ code: 0, stdout: `${NEXT}\n` })
  await rm(scene.live, { recursive: true, force: true })
  expect((await scene.restore()).code).toBe(0)
  expect(await treeOf(scene.live)).toEqual(await treeOfSnapshot(BACKLOG))
})
