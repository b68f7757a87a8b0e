import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { manifestKey } from '@meili-ha/core/catalog/names.ts'
import type { BootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { tempDir } from '../temp-dir.fixture.ts'
import { PublishedNote } from './published-note.ts'
import { TermWriter } from './term-writer.ts'

export const CLOCK: BootClock = {
  now: () => Math.floor(performance.now() / 10) + 1000,
  bootId: () => 'b007',
}

export const NEVER: AbortSignal = new AbortController().signal

/** An uploader's surroundings: `/ha`, a store and a data directory, the keeper played by the test. */
export async function fakeMember(wrap: (store: Store) => Store = (store) => store) {
  const dir = await tempDir()
  const ha = new HaDir(join(dir.path, 'ha'))
  await mkdir(ha.path)
  const store = openStore(`file://${dir.path}/store`)
  const catalog = new CatalogReader(store)
  const dataMs = join(dir.path, 'data.ms')
  const note = new PublishedNote(ha, CLOCK)
  const told: Manifest[] = []
  const writer = new TermWriter({
    catalog: new CatalogReader(wrap(store)),
    member: 'm1',
    dataMs,
    ha,
    clock: CLOCK,
    note,
    log: pino({ level: 'silent' }),
    level: 0,
    onPublished: async (manifest) => void told.push(manifest),
  })
  return {
    ...{ dir, ha, store, catalog, dataMs, note, writer, told },
    guard: (line: 'stopped -' | 'running 7', ageCs = 0) =>
      ha.writeLine('guard', `${line} ${CLOCK.now() - ageCs} | - | -`),
    /** What is in the store, newest first. */
    published: async () =>
      (await catalog.read()).entries.map((entry) => entry.kind === 'snapshot' && entry.manifest),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
}

/** The least that Meilisearch takes for a database. */
export async function makeDatabase(dataMs: string, indexBytes = 0): Promise<void> {
  for (const name of ['tasks', 'auth', 'indexes/i']) {
    await mkdir(join(dataMs, name), { recursive: true })
    const bytes = name === 'indexes/i' ? Buffer.alloc(indexBytes, 7) : `the ${name} database`
    await writeFile(join(dataMs, name, 'data.mdb'), bytes)
  }
  await writeFile(join(dataMs, 'VERSION'), '1.50.0')
}

/** As something that has been there before. */
export async function lay(store: Store, ...manifests: Manifest[]): Promise<void> {
  for (const manifest of manifests) {
    if (manifest.object) await store.put(manifest.object.key, manifest.object.key)
    await store.put(manifestKey(manifest.id), JSON.stringify(manifest))
  }
}
