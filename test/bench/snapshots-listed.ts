import { CatalogReader } from '@meili-ha/core/catalog/read-catalog.ts'
import { snapshotsOf } from '@meili-ha/core/catalog/catalog-view.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { startProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import type { Bench } from './bench.ts'
import type { Listing } from './loss-window.ts'

/** The longest that one is waited for: a large one, and the rest that `--max-duty` asks for after it. */
const PATIENCE = { timeoutMs: 1_800_000, everyMs: 50 }

export interface SnapshotListing extends Listing {
  /** When Meilisearch began it, milliseconds of its clock. */
  beganAt: number
  /** How long Meilisearch worked at it, and indexed nothing. */
  tookMs: number
}

export interface ListedSnapshots extends AsyncDisposable {
  /** Waits until one is listed that is newer than the last that was told. */
  next(): Promise<SnapshotListing>
}

/** `uploader run` beside a Meilisearch, and what its store, a directory, lists. */
export async function watchSnapshots(
  { programs }: Bench,
  directory: string,
  meiliUrl: string,
  flags: readonly string[],
): Promise<ListedSnapshots> {
  const url = `file://${directory}/store`
  const uploader = startProcess({
    command: [
      ...[process.execPath, programs.uploader, 'run', '--store', url, '--meili-url', meiliUrl],
      ...['--data-dir', directory, '--listen', 'off', '--log-format', 'json', ...flags],
    ],
    env: { MEILI_SNAPSHOT_DIR: `${directory}/snapshots` },
  })
  const catalog = new CatalogReader(openStore(url))
  let told: string | undefined
  const newer = async () => {
    if (!uploader.running()) return 'ended'
    const newest = snapshotsOf(await catalog.read())[0]?.manifest
    return newest?.id !== told && newest
  }
  return {
    next: async () => {
      const manifest = await until('a snapshot is listed', newer, PATIENCE)
      if (manifest === 'ended') throw new Error(uploader.output())
      told = manifest.id
      const { lastTaskUid, snapshotStartedAt, snapshotFinishedAt } = manifest.tasks
      if (lastTaskUid === undefined || !snapshotStartedAt || !snapshotFinishedAt) {
        throw new Error(`${manifest.id} has no task mark:\n${uploader.output()}`)
      }
      const beganAt = Date.parse(snapshotStartedAt)
      const tookMs = Date.parse(snapshotFinishedAt) - beganAt
      return { at: performance.now(), lastTaskUid, beganAt, tookMs }
    },
    [Symbol.asyncDispose]: async () => {
      catalog.store.close()
      await uploader[Symbol.asyncDispose]()
    },
  }
}
