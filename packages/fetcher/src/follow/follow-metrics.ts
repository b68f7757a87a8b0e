import { Metrics } from '@meili-ha/core/telemetry/metrics.ts'

/** What `fetcher follow` exports; the table in deploy/reference.md is checked against these names. */
export function followMetrics() {
  const metrics = new Metrics('fetcher')
  return {
    registry: metrics.registry,
    lag: metrics.gauge('lag_seconds', 'How far what it holds is behind the newest snapshot'),
    ready: metrics.gauge('ready', '1 while this member may be promoted'),
    decided: metrics.gauge('decided', '1 once it is decided what to do about the data directory'),
    newestEpoch: metrics.gauge('newest_epoch', 'Highest epoch in the store'),
    listed: metrics.gauge('last_list_timestamp_seconds', 'When the store was last listed'),
    bytes: metrics.counter('downloaded_bytes_total', 'Compressed bytes read from the store'),
    restores: metrics.counter('restores_total', 'Snapshots unpacked, by outcome', 'outcome', [
      'good',
      'damaged',
      'failed',
    ]),
    swaps: metrics.counter('swaps_total', 'Directories moved in', 'old', [
      'nothing',
      'replaced',
      'set-aside',
    ]),
    swapSeconds: metrics.gauge('swap_duration_seconds', 'Time Meilisearch was closed for a swap'),
    failures: metrics.counter('failures_total', 'Turns of the loop that failed'),
    setAside: metrics.gauge('set_aside_directories', 'Directories that wait for a person'),
    setAsideBytes: metrics.gauge('set_aside_bytes', 'Bytes of those on the disk'),
    foreign: metrics.gauge('foreign_task', '1 while somebody has written to this standby'),
  }
}

export type FollowMetrics = ReturnType<typeof followMetrics>
