import { LINEAGE_FILE } from '../data-dir/lineage.ts'
import { MeiliHaError } from '../errors.ts'
import { safeEntryName } from './entry-name.ts'
import { gunzip } from './gunzip.ts'
import { readTar } from './read-tar.ts'
import { isVersion, MAX_VERSION_BYTES } from './version.ts'

/** What a snapshot that was read to its very end held. */
export interface SnapshotReport {
  /** `MAJOR.MINOR.PATCH`, from `VERSION`. */
  version: string
  /** Files and directories, the root left out. */
  entries: number
  /** Bytes of all files, holes included: what `ls -l` adds up to. */
  unpackedBytes: number
  /** Number of `indexes/<uuid>/data.mdb`. */
  indexes: number
}

export interface SnapshotReadOptions {
  /** Ends the reading with CANCELLED. What blocks inside `source` must be ended by its own owner. */
  signal?: AbortSignal
  /** Called now and then with the unpacked bytes so far. */
  onProgress?: (unpackedBytes: number) => void
}

/** Names are relative to the data directory; empty for the directory itself. */
export type SnapshotEvent =
  | { kind: 'directory'; name: string; mode: number }
  | { kind: 'file'; name: string; mode: number; size: number }
  /**
   * Content of the file begun last, at its place; what no `data` covers is a hole of zeros. `bytes`
   * hold until the next event is asked for.
   */
  | { kind: 'data'; bytes: Buffer; position: number }
  | { kind: 'file-end' }
  /** Comes only when everything was right. */
  | { kind: 'end'; report: SnapshotReport }

/**
 * Meilisearch cleans its queue up from 1,000,000 tasks on (`max_number_of_tasks`), and each
 * may have one payload in `update_files/`; as much again for indexes. Names are kept to find doubles.
 */
const MAX_ENTRIES = 2_000_000

/** Without these Meilisearch makes an empty database, or none, of the directory. */
const REQUIRED_FILES = ['VERSION', 'tasks/data.mdb', 'auth/data.mdb']

/**
 * Reads a snapshot (its compressed bytes, in order), event by event, and holds it to everything a
 * snapshot must be. Nothing may be believed before the `end`. `source` may use a buffer again once it
 * is asked for the next one.
 * @throws SNAPSHOT_DAMAGED, SNAPSHOT_FOREIGN, SNAPSHOT_UNSAFE, CANCELLED; whatever `source` throws
 */
export async function* readSnapshot(
  source: AsyncIterable<Buffer>,
  options: SnapshotReadOptions = {},
): AsyncGenerator<SnapshotEvent, void, undefined> {
  const seen = new Map<string, 'file' | 'directory'>()
  const report = { version: '', entries: 0, unpackedBytes: 0, indexes: 0 }
  let inVersion = false
  let version = ''
  let content = 0
  for await (const event of readTar(gunzip(source, options.signal))) {
    switch (event.kind) {
      case 'directory':
      case 'file': {
        const name = safeEntryName(event.name, event.kind)
        register(seen, name, event.kind)
        inVersion = name === 'VERSION'
        if (event.kind === 'directory') {
          yield { kind: 'directory', name, mode: event.mode }
          break
        }
        if (inVersion && event.size > MAX_VERSION_BYTES) throw foreign('its VERSION is no version')
        if (/^indexes\/[^/]+\/data\.mdb$/.test(name)) report.indexes++
        report.unpackedBytes += event.size
        yield { kind: 'file', name, mode: event.mode, size: event.size }
        break
      }
      case 'data':
        if (inVersion) version += event.bytes.toString('latin1')
        content += event.bytes.length
        yield event
        options.onProgress?.(content)
        break
      case 'file-end':
        yield event
    }
  }
  const missing = REQUIRED_FILES.filter((name) => seen.get(name) !== 'file')
  if (missing.length > 0) throw foreign(`it has no ${missing.join(', no ')}`)
  if (!isVersion(version)) throw foreign('its VERSION is no version')
  report.version = version
  report.entries = seen.size - (seen.has('') ? 1 : 0)
  yield { kind: 'end', report }
}

function register(
  seen: Map<string, 'file' | 'directory'>,
  name: string,
  kind: 'file' | 'directory',
): void {
  const refuse = (why: string) =>
    new MeiliHaError('SNAPSHOT_UNSAFE', `the tarball holds ${JSON.stringify(name)} ${why}`)
  if (seen.has(name)) throw refuse('twice')
  if (name === LINEAGE_FILE) throw refuse("which is meili-ha's own")
  const slash = name.lastIndexOf('/')
  // Whoever archives a directory names it before what is in it; so nothing hides behind a file.
  if (slash !== -1 && seen.get(name.slice(0, slash)) !== 'directory') {
    throw refuse('before its directory')
  }
  if (seen.size === MAX_ENTRIES) throw refuse(`as one of more than ${MAX_ENTRIES} entries`)
  seen.set(name, kind)
}

function foreign(why: string): MeiliHaError {
  return new MeiliHaError('SNAPSHOT_FOREIGN', `this is no Meilisearch snapshot: ${why}`)
}
