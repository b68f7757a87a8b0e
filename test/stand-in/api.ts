import type { Database } from './database.ts'
import { Refusal } from './http.ts'
import type { Knobs } from './knobs.ts'
import type { Index, TaskView } from './model.ts'
import type { Scheduler } from './scheduler.ts'

/** What the routes work on. */
export interface Api {
  database: Database
  scheduler: Scheduler
  masterKey: string | undefined
  knobs: Knobs
}

/** The answer to every write that becomes a task. */
export function enqueued(task: TaskView): { status: number; body: unknown } {
  const { uid: taskUid, indexUid, status, type, enqueuedAt, customMetadata } = task
  const body = { taskUid, indexUid, status, type, enqueuedAt }
  return { status: 202, body: customMetadata === undefined ? body : { ...body, customMetadata } }
}

export function knownIndex(database: Database, uid: string): Index {
  const index = database.indexes.get(uid)
  if (!index) throw new Refusal(404, 'index_not_found', `Index \`${uid}\` not found.`)
  return index
}

/** A number of the query string. @throws Refusal with `code` */
export function whole(query: URLSearchParams, name: string, code: string): number | undefined {
  const value = query.get(name)
  if (value === null) return undefined
  if (/^\d+$/.test(value)) return Number(value)
  const why = `Invalid value in parameter \`${name}\`: could not parse \`${value}\` as a positive integer`
  throw new Refusal(400, code, why)
}
