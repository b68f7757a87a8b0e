import { setTimeout as sleep } from 'node:timers/promises'
import type { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import { taskFailure, type Task } from '@meili-ha/core/meilisearch/task.ts'
import { runAnnotateCommand } from './annotate.ts'

/** A snapshot that was asked for: which task makes it, and what the annotate command said before. */
export interface AskedSnapshot {
  taskUid: number
  annotation: string | undefined
}

export interface AskOptions {
  annotateCommand?: string | undefined
  signal: AbortSignal
}

/** Asks Meilisearch for a snapshot, the annotate command first. */
export async function askSnapshot(
  meili: Pick<MeilisearchClient, 'createSnapshot'>,
  options: AskOptions,
): Promise<AskedSnapshot> {
  const annotation = options.annotateCommand
    ? await runAnnotateCommand(options.annotateCommand, options.signal)
    : undefined
  return { taskUid: await meili.createSnapshot(), annotation }
}

const POLL_MS = 250

/**
 * Waits until the task has ended; as long as it takes, since it waits for the batch under way.
 * @throws MEILI_ENTERPRISE or MEILI_FAILED when it failed; what `signal` says when aborted
 */
export async function waitForTask(
  meili: Pick<MeilisearchClient, 'task'>,
  uid: number,
  signal: AbortSignal,
): Promise<Task> {
  for (;;) {
    const task = await meili.task(uid)
    const failure = taskFailure(task)
    if (failure) throw failure
    if (task.status === 'succeeded') return task
    await sleep(POLL_MS, undefined, { signal })
  }
}
