import { setTimeout as sleep } from 'node:timers/promises'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import type { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import { snapshotTaskOf } from '@meili-ha/core/meilisearch/snapshot-task.ts'

/** Meilisearch marks the task succeeded moments after the rename; this is generous. */
const PATIENCE_MS = 10_000
const POLL_MS = 200
/** Enough to find a snapshot that was made while the uploader was away for a while. */
const LOOK_BACK = 100

/**
 * Which task wrote a snapshot file of this mtime, and so what the file surely holds: every task
 * below that uid. An empty object when Meilisearch remembers no such task.
 * @throws MEILI_UNREACHABLE, MEILI_DENIED, MEILI_FAILED; what `signal` says when aborted
 */
export async function findTaskMark(
  meili: MeilisearchClient,
  modifiedAt: Date,
  signal: AbortSignal,
  now: () => number = () => performance.now(),
): Promise<Manifest['tasks']> {
  const until = now() + PATIENCE_MS
  for (;;) {
    const tasks = await meili.snapshotTasks({ statuses: ['succeeded'], limit: LOOK_BACK })
    const task = snapshotTaskOf(tasks, modifiedAt.getTime())
    if (task) {
      return {
        snapshotTaskUid: task.uid,
        ...(task.uid > 0 ? { lastTaskUid: task.uid - 1 } : {}),
        ...(task.startedAt ? { snapshotStartedAt: task.startedAt } : {}),
        ...(task.finishedAt ? { snapshotFinishedAt: task.finishedAt } : {}),
      }
    }
    if (now() > until) return {}
    await sleep(POLL_MS, undefined, { signal })
  }
}
