import { Metrics } from '@meili-ha/core/telemetry/metrics.ts'

/** What the uploader exports; the table in deploy/reference.md is checked against these names. */
export function uploaderMetrics() {
  const metrics = new Metrics('uploader')
  return {
    registry: metrics.registry,
    published: metrics.counter('snapshots_total', 'Snapshots by what became of them', 'outcome', [
      'published',
      'refused',
      'failed',
    ]),
    uploadedBytes: metrics.counter('uploaded_bytes_total', 'Bytes sent to the store'),
    resumedBytes: metrics.counter(
      'resumed_bytes_total',
      'Bytes an earlier, killed uploader had sent already',
    ),
    publishSeconds: metrics.gauge('publish_duration_seconds', 'Time the last publication took'),
    lastSuccess: metrics.gauge(
      'last_success_timestamp_seconds',
      'When a snapshot was last published; 0 = not since the start',
    ),
    newestStarted: metrics.gauge(
      'newest_snapshot_started_timestamp_seconds',
      'When the newest published snapshot was begun: what came later is lost if the disk is lost now',
    ),
    changesWaiting: metrics.gauge(
      'changes_waiting_since_timestamp_seconds',
      'When --every first saw changes that are not published yet; 0 = none, -1 = not known',
    ),
    failuresInARow: metrics.gauge(
      'failures_in_a_row',
      'Failed publications since the last success',
    ),
    refusing: metrics.gauge(
      'refusing',
      '1 while it refuses to publish: wrong cluster, second writer, or superseded',
    ),
    storeBytes: metrics.gauge('store_bytes', 'Bytes of all published snapshots in the store'),
    storeSnapshots: metrics.gauge('store_snapshots', 'Published snapshots in the store'),
    pruned: metrics.counter('pruned_total', 'What retention removed', 'kind', [
      'manifest',
      'tarball',
      'upload',
    ]),
    snapshotSeconds: metrics.gauge(
      'snapshot_cost_seconds',
      'Time Meilisearch took for the last snapshot asked for by --every',
    ),
  }
}

export type UploaderMetrics = ReturnType<typeof uploaderMetrics>
