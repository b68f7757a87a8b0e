import * as z from 'zod'
import { MeiliHaError } from '../errors.ts'

const uid = z.int().min(0)
/** Nanosecond UTC as Meilisearch prints it, `2026-11-23T07:49:29.265627573Z`. */
const utc = z.iso.datetime()

/** One task as `GET /tasks` shows it; what isn't needed here is kept, unchecked. */
export const taskSchema = z.looseObject({
  uid,
  /** `snapshotCreation`, `documentAdditionOrUpdate`, …: an open list, versions add to it. */
  type: z.string(),
  /** `enqueued`, `processing`, `succeeded`, `failed` or `canceled`. */
  status: z.string(),
  enqueuedAt: utc,
  startedAt: utc.nullable(),
  finishedAt: utc.nullable(),
  error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
})

export type Task = z.infer<typeof taskSchema>

/** One page of tasks, newest first; `next` is the uid to go on `from`, null on the last page. */
export const taskPageSchema = z.looseObject({
  results: z.array(taskSchema),
  next: uid.nullable(),
})

/** What a write answers. */
export const enqueuedSchema = z.looseObject({ taskUid: uid })

/**
 * Why a task ended without doing its work; undefined while it may still succeed, and when it has.
 * MEILI_ENTERPRISE for a snapshot that MEILI_S3_* settings made impossible, else MEILI_FAILED.
 */
export function taskFailure(task: Task): MeiliHaError | undefined {
  if (task.status !== 'failed' && task.status !== 'canceled') return undefined
  const what = `task ${task.uid} (${task.type}) was ${task.status}`
  if (!task.error) return new MeiliHaError('MEILI_FAILED', what)
  const { code, message } = task.error
  return new MeiliHaError(
    code === 'requires_enterprise_edition' ? 'MEILI_ENTERPRISE' : 'MEILI_FAILED',
    `${what}: ${message}`,
    { remoteCode: code },
  )
}
