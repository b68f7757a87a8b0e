import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pino } from 'pino'
import { SMALLEST, tar, tarball } from '@meili-ha/core/archive/tarball.fixture.ts'
import { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { SnapshotPublisher, type PublisherOptions } from './publish-snapshot.ts'
import { openSnapshot, type SnapshotFile } from './snapshot-file.ts'
import { tempDir } from './temp-dir.fixture.ts'

const AT = new Date('2026-11-23T08:00:00Z')

/** A publisher over a real directory, and files to publish, all of the same second. */
export async function fakePublisher(wrap: (store: Store) => Partial<Store> = (store) => store) {
  const dir = await tempDir()
  const store = openStore(`file://${dir.path}/store`)
  const faulty = new Proxy(store, {
    get: (target, name: keyof Store) => {
      const value = wrap(target)[name] ?? target[name]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const files: SnapshotFile[] = []
  return {
    ...{ dir, store },
    catalog: new CatalogReader(store),
    publisher: (options: Partial<PublisherOptions> = {}) =>
      new SnapshotPublisher({
        catalog: new CatalogReader(faulty),
        terms: { current: async () => 0 },
        member: 'm1',
        clusterId: async () => undefined,
        log: pino({ level: 'silent' }),
        onPart: () => {},
        ...options,
      }),
    /** @param content tells snapshots apart: all have the same size */
    file: async (content: string, bytes = snapshotOf(content)): Promise<SnapshotFile> => {
      const path = join(dir.path, `${content}.snapshot`)
      await writeFile(path, bytes)
      await utimes(path, AT, AT)
      const file = await openSnapshot(path)
      if (!file) throw new Error('not there')
      files.push(file)
      return file
    },
    [Symbol.asyncDispose]: async () => {
      for (const { handle } of files) await handle.close()
      await dir[Symbol.asyncDispose]()
    },
  }
}

function snapshotOf(content: string): Buffer {
  const index = { name: 'indexes/i/data.mdb', content }
  const folders = ['indexes', 'indexes/i'].map((name) => ({ name, type: '5' }))
  // Stored, not compressed: other content of the same length makes a file of the same size.
  return gzipSync(tar([...SMALLEST, ...folders, index]), { level: 0 })
}

/** Whole but for its last byte: only the very end of the verification shows it. */
export function cutOff(): Buffer {
  return tarball().subarray(0, -1)
}

export const NOTHING_KNOWN = Promise.resolve({ tasks: {}, annotations: undefined })
