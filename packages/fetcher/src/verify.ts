import { verifySnapshot } from '@meili-ha/core/archive/verify-snapshot.ts'
import type { Entry } from '@meili-ha/core/catalog/catalog-view.ts'
import { isError, messageOf } from '@meili-ha/core/errors.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { downloadTarball, type DownloadOptions } from './download.ts'

/** What reading a snapshot to its very end showed. */
export interface Verification {
  id: string
  good: boolean
  /** Why it is bad; what it holds, where it is good. */
  detail: string
}

/** Reads every byte of a snapshot, checks it as a restore does, and keeps nothing. */
export async function verifyEntry(
  entry: Entry,
  store: Store,
  options: DownloadOptions,
): Promise<Verification> {
  const { id } = entry
  if (entry.kind === 'unreadable') return { id, good: false, detail: entry.error.message }
  const { object, contents, meilisearch } = entry.manifest
  if (object === null) return { id, good: true, detail: 'an empty beginning: no tarball' }
  try {
    const report = await verifySnapshot(downloadTarball(store, object, options), {
      signal: options.signal,
    })
    const { version, unpackedBytes, indexes, entries } = report
    const says = { version: meilisearch.version, ...contents }
    if (version !== says.version || unpackedBytes !== says.unpackedBytes) {
      return { id, good: false, detail: 'the manifest describes another snapshot' }
    }
    return { id, good: true, detail: `${entries} entries, ${indexes} indexes, ${version}` }
  } catch (error) {
    const bad = isError(
      error,
      'SNAPSHOT_DAMAGED',
      'SNAPSHOT_FOREIGN',
      'SNAPSHOT_UNSAFE',
      'STORE_CHECKSUM',
    )
    if (!bad) throw error
    return { id, good: false, detail: messageOf(error) }
  }
}
