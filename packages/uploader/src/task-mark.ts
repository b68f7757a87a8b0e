import { setTimeout as sleep } from 'node:timers/promises'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import type { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import { snapshotTaskOf } from '@meili-ha/core/meilisearch/snapshot-task.ts'
import type { Task } from '@meili-ha/core/meilisearch/task.ts'

/** Meilisearch marks the task succeeded moments after the rename; this is generous. */
const PATIENCE_MS = 10_000
const POLL_MS = 200
/** Enough to find a snapshot that was made while the uploader was away for a while. */
const LOOK_BACK = 100

export interface TaskMark {
  /** As the manifest holds them. */
  tasks: Manifest['tasks']
  /** Every snapshot task that this one file answers: those waiting together become one snapshot. */
  uids: number[]
}

/**
 * Which task wrote a snapshot file of this mtime, and so what the file surely holds: every task
 * below that uid. Nothing is known when Meilisearch remembers no such task.
 * @throws MEILI_UNREACHABLE, MEILI_DENIED, MEILI_FAILED; what `signal` says when aborted
 */
export async function findTaskMark(
  meili: MeilisearchClient,
  modifiedAt: Date,
  signal: AbortSignal,
  now: () => number = () => performance.now(),
): Promise<TaskMark> {
  const until = now() + PATIENCE_MS
  for (;;) {
    const tasks = await meili.snapshotTasks({ statuses: ['succeeded'], limit: LOOK_BACK })
    const task = snapshotTaskOf(tasks, modifiedAt.getTime())
    if (task) {
      const together = tasks.filter(({ startedAt }) => startedAt === task.startedAt)
      return { tasks: marksOf(task), uids: together.map(({ uid }) => uid) }
    }
    if (now() > until) return { tasks: {}, uids: [] }
    await sleep(POLL_MS, undefined, { signal })
  }
}

function marksOf({ uid, startedAt, finishedAt }: Task): Manifest['tasks'] {
  return {
    snapshotTaskUid: uid,
    ...(uid > 0 && { lastTaskUid: uid - 1 }),
    ...(startedAt !== null && { snapshotStartedAt: startedAt }),
    ...(finishedAt !== null && { snapshotFinishedAt: finishedAt }),
  }
}
