import { startProgress } from '@meili-ha/core/cli/progress.ts'
import { isComplete, type PartialView } from '@meili-ha/core/catalog/catalog-view.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import {
  SnapshotPublisher,
  type PublisherOptions,
  type SnapshotContext,
} from './publish-snapshot.ts'
import type { SnapshotFile } from './snapshot-file.ts'
import type { Parts } from './wire.ts'

/** Publishes one file, with progress, metrics and a log line. */
export class FilePublisher {
  readonly #parts: Parts
  readonly #publisher: SnapshotPublisher
  #onPart: (part: { bytes: number; reused: boolean }) => void = () => {}

  constructor(
    parts: Parts,
    member: string,
    clusterId: () => Promise<string | undefined>,
    more: Pick<PublisherOptions, 'seqs' | 'sparing'> = {},
  ) {
    this.#parts = parts
    this.#publisher = new SnapshotPublisher({
      catalog: parts.catalog,
      terms: parts.terms,
      member,
      clusterId,
      log: parts.log,
      ...more,
      onPart: (part) => this.#onPart(part),
    })
  }

  /** What the store says before anything is published: who writes, and whether this member may. */
  async look(): Promise<{ view: PartialView; epoch: number }> {
    const seen = await this.#publisher.look()
    this.#note(seen.view)
    return seen
  }

  async publish(
    file: SnapshotFile,
    context: Promise<SnapshotContext>,
    signal: AbortSignal,
  ): Promise<Manifest> {
    const { host, log, metrics, status } = this.#parts
    const progress = startProgress(host, log, 'upload', file.size)
    const began = performance.now()
    this.#onPart = ({ bytes, reused }) => {
      progress.add(bytes)
      ;(reused ? metrics.resumedBytes : metrics.uploadedBytes).inc(bytes)
    }
    try {
      const { already, manifest, view } = await this.#publisher.publish(file, context, signal)
      if (already) status.alreadyPublished(manifest)
      else status.published(manifest, performance.now() - began)
      this.#note(view)
      return manifest
    } finally {
      progress.end()
    }
  }

  /** Totals are of all manifests: who read only some has none to tell. */
  #note(view: PartialView): void {
    if (isComplete(view)) this.#parts.status.seen(view)
  }
}
