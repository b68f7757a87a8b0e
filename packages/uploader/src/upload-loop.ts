import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DataPaths } from '@meili-ha/core/data-dir/paths.ts'
import { isError, messageOf } from '@meili-ha/core/errors.ts'
import { isFinal, openSnapshot, type SnapshotFile } from './snapshot-file.ts'
import type { UploaderStatus } from './uploader-status.ts'
import { Wake } from './wake.ts'
import { watchDirectory } from './watch-directory.ts'

/** After a failure: soon, then less often, so that a store's bad hour costs neither data nor money. */
const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 60_000

export interface UploadLoopOptions {
  paths: DataPaths
  status: UploaderStatus
  /** Resolves when the file is dealt with: it is in the store, or must never be. */
  publish: (file: SnapshotFile, signal: AbortSignal) => Promise<void>
}

/** The name under which Meilisearch puts its snapshots: `<basename of db-path>.snapshot`. */
export function snapshotPath(paths: DataPaths): string {
  return join(paths.snapshots, `${basename(paths.live)}.snapshot`)
}

/**
 * Publishes every snapshot that appears, one at a time, until `signal` aborts. One that is replaced
 * while it is uploaded is finished first: dropping it could go on for ever on a slow line. Of those
 * that came meanwhile the newest is next. A file that is no good is refused once, not tried again.
 */
export class UploadLoop {
  readonly #options: UploadLoopOptions
  readonly #wake = new Wake()
  /** Identity of the file that is dealt with: published, or refused for good. */
  #done: string | undefined
  #retryMs = 0

  constructor(options: UploadLoopOptions) {
    this.#options = options
  }

  /** Look now: somebody knows that a snapshot is there. */
  look = (): void => this.#wake.up()

  async run(signal: AbortSignal): Promise<void> {
    const { paths } = this.#options
    const stopWatching = watchDirectory(paths.snapshots, this.#wake.up)
    try {
      await this.#sayWhatIsThere()
      while (!signal.aborted) {
        await this.#wake.next(signal)
        if (!signal.aborted) await this.#look(signal)
        if (this.#retryMs > 0) await sleep(this.#retryMs, undefined, { signal }).catch(() => {})
        if (this.#retryMs > 0) this.#wake.up()
      }
    } finally {
      await stopWatching()
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { paths, status } = this.#options
    let file: SnapshotFile | undefined
    try {
      file = await openSnapshot(snapshotPath(paths))
      if (!file || file.identity === this.#done) {
        this.#retryMs = 0
        return
      }
      await this.#options.publish(file, signal)
      this.#done = file.identity
      this.#retryMs = 0
    } catch (error) {
      if (signal.aborted) return
      if (file && isFinal(error)) {
        this.#done = file.identity
        this.#retryMs = 0
        status.refused(error)
        return
      }
      const isFirst = this.#retryMs === 0
      // A standby's uploader waits for its turn, a primary's makes way for the final: no failures,
      // and nothing that a new primary's first snapshot should wait for.
      if (isError(error, 'NOT_PERMITTED', 'CANCELLED')) {
        this.#retryMs = FIRST_RETRY_MS
        return
      }
      this.#retryMs = Math.min(Math.max(this.#retryMs * 2, FIRST_RETRY_MS), LONGEST_RETRY_MS)
      // Between Meilisearch's rename and its chmod another uid may not read the file.
      if (isFirst && isError(error, 'DATA_DIR_PERMISSION')) return
      status.failed(error, this.#retryMs)
    } finally {
      await file?.handle.close()
    }
  }

  /** Says at the start what it waits for, since a wrong directory looks like patience. */
  async #sayWhatIsThere(): Promise<void> {
    const { paths, status } = this.#options
    const wanted = snapshotPath(paths)
    const names = await readdir(paths.snapshots).catch((error: unknown) => messageOf(error))
    if (typeof names === 'string') {
      status.log.info({ event: 'watch.waiting', path: wanted }, `waiting for ${paths.snapshots}`)
      return
    }
    const others = names.filter((name) => name.endsWith('.snapshot') && name !== basename(wanted))
    if (others.length > 0 && !names.includes(basename(wanted))) {
      status.log.warn(
        { event: 'watch.other_names', wanted, others },
        `there are other snapshots, but no ${basename(wanted)}: is MEILI_DB_PATH set here as for Meilisearch?`,
      )
    }
    status.log.info({ event: 'watch.started', path: wanted }, `watching for ${wanted}`)
  }
}
