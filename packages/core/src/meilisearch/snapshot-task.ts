import type { Task } from './task.ts'

/**
 * Milliseconds that a file's mtime may lie before its task's startedAt: the kernel stamps files with
 * a clock that ticks every 1 to 10 ms, and the snapshot of an empty instance takes 7 ms.
 */
const COARSE_CLOCK_MS = 10

/**
 * The succeeded snapshotCreation task that wrote a snapshot file. Undefined when `tasks` hold none:
 * ask again after a moment, because Meilisearch renames the file into place *before* it marks the
 * task succeeded, and a file of an earlier life of the instance has none at all.
 *
 * Tasks that were merged into one snapshot share its times; the lowest uid is taken, so that "every
 * task below it is in the snapshot" holds (the merged ones themselves are not in it).
 * @param mtimeMs of the file, milliseconds since 1970, as `fs.Stats` gives it
 */
export function snapshotTaskOf(tasks: readonly Task[], mtimeMs: number): Task | undefined {
  return tasks
    .filter((task) => task.type === 'snapshotCreation' && task.status === 'succeeded')
    .filter((task) => wroteAt(task, mtimeMs))
    .toSorted((a, b) => startOf(b) - startOf(a) || a.uid - b.uid)[0]
}

function wroteAt(task: Task, mtimeMs: number): boolean {
  if (task.finishedAt === null) return false
  // Date.parse drops what is below a millisecond, so the file's time must too.
  const mtime = Math.floor(mtimeMs)
  return startOf(task) - COARSE_CLOCK_MS <= mtime && mtime <= Date.parse(task.finishedAt)
}

function startOf(task: Task): number {
  return task.startedAt === null ? Number.NEGATIVE_INFINITY : Date.parse(task.startedAt)
}
