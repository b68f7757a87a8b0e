import type { MeilisearchClient } from './client.ts'
import type { Task } from './task.ts'

/** What a restored instance does by itself: snapshot on a schedule, and upgrade at its first start. */
const OWN_TYPES = ['snapshotCreation', 'upgradeDatabase']

/**
 * The tasks that somebody else gave to an instance since it was restored: on a standby, writes that
 * were sent there by mistake and exist nowhere else.
 * @param mark the highest task uid that the restored snapshot held, as read from the instance at its
 * first start (-1 = none). Not the manifest's lastTaskUid: that is a lower bound, and tasks between
 * the two came with the snapshot.
 */
export function foreignTasks(tasks: readonly Task[], mark: number): Task[] {
  return tasks.filter((task) => task.uid > mark && !OWN_TYPES.includes(task.type))
}

/** The newest foreign task of a running instance, read page by page down to `mark`. */
export async function findForeignTask(
  client: Pick<MeilisearchClient, 'tasks'>,
  mark: number,
): Promise<Task | undefined> {
  let from: number | null | undefined
  while (from !== null && (from === undefined || from > mark)) {
    const page = await client.tasks({ limit: 100, ...(from === undefined ? {} : { from }) })
    const [foreign] = foreignTasks(page.results, mark)
    if (foreign) return foreign
    from = page.next
  }
  return undefined
}
