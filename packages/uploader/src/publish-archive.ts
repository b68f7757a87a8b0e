import { PassThrough } from 'node:stream'
import { combineDigests } from '@meili-ha/core/archive/digests.ts'
import type { SnapshotReport } from '@meili-ha/core/archive/snapshot-stream.ts'
import { verifySnapshot } from '@meili-ha/core/archive/verify-snapshot.ts'
import { archiveDirectory } from '@meili-ha/core/archive/write-archive.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { directorySize } from '@meili-ha/core/data-dir/directory-size.ts'
import { partSizeFor } from '@meili-ha/core/store/part-size.ts'
import type { Store } from '@meili-ha/core/store/store.ts'

export interface ArchiveOptions {
  /** gzip level; 0 by default: 1 GB/s, where level 1 makes 82 MB/s. */
  level: number
  signal: AbortSignal
  onProgress: (bytes: number) => void
}

/** What a manifest says of an archived directory. */
export type Archived = Pick<Manifest, 'meilisearch' | 'contents'> & {
  object: NonNullable<Manifest['object']>
}

/**
 * Archives a stopped data directory straight into the store. What is sent is read back through the
 * verifier on its way, so that an archive nobody could restore fails here.
 * @throws SNAPSHOT_* when the directory is no whole database or changes; STORE_*; CANCELLED
 */
export async function archiveInto(
  store: Store,
  key: string,
  dataMs: string,
  { level, signal, onProgress }: ArchiveOptions,
): Promise<Archived> {
  const partSize = partSizeFor(await directorySize(dataMs))
  const sent = new PassThrough({ highWaterMark: 1024 * 1024 })
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const failures: unknown[] = []
  const stopBoth = (error: unknown) => {
    failures.push(error)
    sent.destroy()
    stop.abort()
  }
  const archive = archiveDirectory(dataMs, { level, signal: either })
  const [report, stored] = await Promise.all([
    verifySnapshot(copyTo(sent, archive), { signal: either }).catch(stopBoth),
    store
      .putStream(key, sent, { partSize, signal: either, onPart: ({ bytes }) => onProgress(bytes) })
      .catch(stopBoth),
  ])
  if (!report || !stored) throw failures[0]
  return {
    object: {
      key,
      size: stored.size,
      partSize,
      parts: stored.parts,
      sha256: combineDigests(stored.parts),
    },
    ...describe(report),
  }
}

function describe(report: SnapshotReport): Pick<Manifest, 'meilisearch' | 'contents'> {
  return {
    meilisearch: { version: report.version },
    contents: { indexes: report.indexes, unpackedBytes: report.unpackedBytes },
  }
}

/** Passes chunks on and writes them to `sink` as well, at the pace of the slower. */
async function* copyTo(sink: PassThrough, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    if (!sink.write(chunk)) await drained(sink)
    yield chunk
  }
  sink.end()
}

function drained(sink: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      sink.off('drain', done).off('close', done)
      resolve()
    }
    // The store gave up: nothing will ever be read of it.
    if (sink.destroyed) resolve()
    else sink.on('drain', done).on('close', done)
  })
}
