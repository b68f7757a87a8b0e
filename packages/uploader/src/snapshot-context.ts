import { messageOf } from '@meili-ha/core/errors.ts'
import type { AskedSnapshot } from './ask-snapshot.ts'
import type { SnapshotContext } from './publish-snapshot.ts'
import type { SnapshotFile } from './snapshot-file.ts'
import { findTaskMark, type TaskMark } from './task-mark.ts'
import type { Parts } from './wire.ts'

/**
 * What Meilisearch knows about a file: its task, and so what it surely holds; and what the annotate
 * command said just before this very snapshot was asked for. Never throws: a snapshot is worth
 * publishing without.
 * @param asked snapshots asked for by this process; those that an older file answered are taken out.
 * This file's own stay: its upload may fail, and be tried again.
 */
export async function snapshotContext(
  { meili, log }: Pick<Parts, 'meili' | 'log'>,
  file: SnapshotFile,
  asked: AskedSnapshot[],
  signal: AbortSignal,
): Promise<SnapshotContext> {
  const nothing: TaskMark = { tasks: {}, uids: [] }
  const { tasks, uids } = await findTaskMark(meili, file.modifiedAt, signal).catch(
    (error: unknown) => {
      log.warn(
        { event: 'task.unknown', err: error },
        `published without task mark and start time: ${messageOf(error)}`,
      )
      return nothing
    },
  )
  const annotation = asked.findLast(({ taskUid }) => uids.includes(taskUid))?.annotation
  const older = asked.findIndex(({ taskUid }) => uids.includes(taskUid))
  if (older > 0) asked.splice(0, older)
  return { tasks, annotations: annotation }
}
