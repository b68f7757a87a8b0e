import type { Logger } from 'pino'
import { formatBytes, formatDuration } from '@meili-ha/core/cli/units.ts'
import { catalogTotals } from '@meili-ha/core/catalog/catalog-totals.ts'
import { snapshotsOf, type CatalogView } from '@meili-ha/core/catalog/catalog-view.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { isError, messageOf, MeiliHaError } from '@meili-ha/core/errors.ts'
import type { Answer } from '@meili-ha/core/telemetry/server.ts'
import { ChangesWaiting } from './changes-waiting.ts'
import type { UploaderMetrics } from './uploader-metrics.ts'

/** What only a person can end; /readyz shows it as well. */
const REFUSALS = ['WRONG_CLUSTER', 'SECOND_WRITER', 'SUPERSEDED', 'CLAIM_MISSING'] as const

/** One place where what happens becomes log, metrics and /status. */
export class UploaderStatus {
  readonly log: Logger
  readonly waiting: ChangesWaiting
  readonly #metrics: UploaderMetrics
  readonly #facts: { store: string; member: string }
  #newest: { id: string; startedAt: string | undefined; sizeBytes: number | undefined } | undefined
  #failure: { code: string; message: string; hint: string | undefined } | undefined
  #inARow = 0
  #refusing = false

  constructor(log: Logger, metrics: UploaderMetrics, facts: { store: string; member: string }) {
    this.log = log
    this.#metrics = metrics
    this.#facts = facts
    this.waiting = new ChangesWaiting(metrics.changesWaiting)
  }

  published(manifest: Manifest, durationMs: number): void {
    const { id, object } = manifest
    const sizeBytes = object?.size ?? 0
    this.#metrics.published.inc({ outcome: 'published' })
    this.#metrics.publishSeconds.set(durationMs / 1000)
    this.#metrics.lastSuccess.set(Date.now() / 1000)
    this.log.info(
      { event: 'snapshot.published', id, sizeBytes, durationMs: Math.round(durationMs) },
      `published ${id}: ${formatBytes(sizeBytes)} in ${formatDuration(durationMs)}`,
    )
    this.waiting.published(startOf(manifest))
    this.well()
  }

  alreadyPublished(manifest: Manifest): void {
    this.log.info(
      { event: 'snapshot.already', id: manifest.id },
      `${manifest.id} is published already`,
    )
    this.waiting.published(startOf(manifest))
    this.well()
  }

  well(): void {
    this.#failure = undefined
    this.#inARow = 0
    this.#refusing = false
    this.#metrics.failuresInARow.set(0)
    this.#metrics.refusing.set(0)
  }

  /** The file is no good; the next one may be. */
  refused(error: unknown): void {
    this.#metrics.published.inc({ outcome: 'refused' })
    this.#fail(error)
    this.log.error({ event: 'snapshot.refused', ...this.#failure }, messageOf(error))
  }

  /** It didn't work this time. A refusal that only a person can end is shown by /readyz as well. */
  failed(error: unknown, retryMs: number): void {
    this.#metrics.published.inc({ outcome: 'failed' })
    this.#fail(error)
    this.#refusing = isError(error, ...REFUSALS)
    this.#metrics.refusing.set(this.#refusing ? 1 : 0)
    this.log.error(
      { event: 'snapshot.failed', ...this.#failure, inARow: this.#inARow, retryMs },
      `${messageOf(error)}; next try in ${formatDuration(retryMs)}`,
    )
  }

  #fail(error: unknown): void {
    this.#inARow += 1
    this.#metrics.failuresInARow.set(this.#inARow)
    this.#failure = {
      code: error instanceof MeiliHaError ? error.code : 'unknown',
      message: messageOf(error),
      hint: error instanceof MeiliHaError ? error.hint : undefined,
    }
  }

  /** Takes the store's totals and the loss if the disk died now from a fresh view. */
  seen(view: CatalogView): void {
    const newest = snapshotsOf(view).find((snapshot) => snapshot.manifest.object !== null)
    const totals = catalogTotals(view)
    this.#metrics.storeSnapshots.set(totals.snapshots)
    this.#metrics.storeBytes.set(totals.tarballBytes)
    if (!newest) return
    const startedAt = startOf(newest.manifest)
    this.#metrics.newestStarted.set(Date.parse(startedAt) / 1000)
    this.#newest = { id: newest.id, startedAt, sizeBytes: newest.manifest.object?.size }
  }

  status(): Answer {
    const body = {
      program: 'uploader',
      ...this.#facts,
      newest: this.#newest ?? null,
      failure: this.#failure ?? null,
      failuresInARow: this.#inARow,
      refusing: this.#refusing,
    }
    return { status: 200, body }
  }

  ready(): Answer {
    return this.#refusing
      ? { status: 503, body: this.#failure?.message ?? 'refusing' }
      : { status: 200, body: 'ok' }
  }
}

/** From when on its changes are missing; without an API key no better time than the manifest's is known. */
function startOf({ tasks, createdAt }: Manifest): string {
  return tasks.snapshotStartedAt ?? createdAt
}
