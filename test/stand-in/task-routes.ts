import { Refusal, type Answer, type Request, type Route } from './http.ts'
import type { TaskView } from './model.ts'
import { whole, type Api } from './api.ts'

const TYPES =
  'documentAdditionOrUpdate documentEdition documentDeletion settingsUpdate indexCreation indexDeletion indexUpdate indexSwap taskCancelation taskDeletion dumpCreation snapshotCreation export upgradeDatabase indexCompaction networkTopologyChange dsrUpdate dsrClear'.split(
    ' ',
  )
const STATUSES = ['enqueued', 'processing', 'succeeded', 'failed', 'canceled']
const PARAMETERS = ['limit', 'from', 'uids', 'types', 'statuses', 'indexUids']

export function taskRoutes(api: Api): Route[] {
  return [
    {
      method: 'GET',
      path: /^\/tasks$/,
      action: 'tasks.get',
      handle: (request) => page(request, visible(api, request), (task) => task.uid),
    },
    {
      method: 'GET',
      path: /^\/tasks\/([^/]+)$/,
      action: 'tasks.get',
      handle: (request) => {
        const uid = request.params[0] ?? ''
        if (!/^\d+$/.test(uid)) {
          const why = `Task uid \`${uid}\` is invalid. It should only contain numeric characters.`
          throw new Refusal(400, 'invalid_task_uids', why)
        }
        const task = visible(api, request).find((one) => one.uid === Number(uid))
        if (!task) throw new Refusal(404, 'task_not_found', `Task \`${uid}\` not found.`)
        return { status: 200, body: task }
      },
    },
    {
      method: 'GET',
      path: /^\/batches$/,
      action: 'tasks.get',
      handle: (request) => page(request, batches(visible(api, request)), (batch) => batch.uid),
    },
  ]
}

/** A key for some indexes sees their tasks alone: snapshots belong to none. */
function visible(api: Api, { access }: Request): TaskView[] {
  const { indexes } = access
  const tasks = api.scheduler.views()
  if (indexes === null) return tasks
  return tasks.filter((task) => task.indexUid !== null && indexes.includes(task.indexUid))
}

function page<T>({ query }: Request, all: readonly T[], uidOf: (item: T) => number): Answer {
  const unknown = [...query.keys()].find((name) => !PARAMETERS.includes(name))
  if (unknown !== undefined) {
    const known = PARAMETERS.map((name) => `\`${name}\``).join(', ')
    const why = `Unknown parameter \`${unknown}\`: expected one of ${known}`
    throw new Refusal(400, 'bad_request', why)
  }
  refuseUnknown(query, 'types', 'type', TYPES)
  refuseUnknown(query, 'statuses', 'status', STATUSES)
  const limit = whole(query, 'limit', 'invalid_task_limit') ?? 20
  const from = whole(query, 'from', 'invalid_task_from')
  const matching = all.filter((item) => matches(query, item as Partial<TaskView>))
  const rest = matching.filter((item) => from === undefined || uidOf(item) <= from)
  const results = rest.slice(0, limit)
  const [first] = results
  const next = rest[limit]
  return {
    status: 200,
    body: {
      results,
      total: matching.length,
      limit,
      from: first === undefined ? null : uidOf(first),
      next: next === undefined ? null : uidOf(next),
    },
  }
}

function matches(query: URLSearchParams, task: Partial<TaskView>): boolean {
  const chosen = (name: string, value: unknown) => {
    const wanted = query.get(name)?.split(',')
    return wanted === undefined || wanted.includes('*') || wanted.includes(String(value))
  }
  return (
    chosen('types', task.type) &&
    chosen('statuses', task.status) &&
    chosen('uids', task.uid) &&
    chosen('indexUids', task.indexUid)
  )
}

/** A misspelt filter must not look like an empty queue. */
function refuseUnknown(query: URLSearchParams, name: string, kind: string, known: string[]): void {
  const wanted = query.get(name)?.split(',') ?? []
  const bogus = wanted.find((one) => one !== '*' && !known.includes(one))
  if (bogus === undefined) return
  const list = known.map((one) => `\`${one}\``).join(', ')
  throw new Refusal(
    400,
    `invalid_task_${name}`,
    `Invalid value in parameter \`${name}\`: \`${bogus}\` is not a valid task ${kind}. Available ${name} are ${list}.`,
  )
}

/** Batches, as far as anybody needs them: which tasks ran together. */
function batches(tasks: readonly TaskView[]): { uid: number }[] {
  const byUid = Map.groupBy(
    tasks.filter((task) => task.batchUid !== null),
    (task) => task.batchUid as number,
  )
  return [...byUid]
    .map(([uid, members]) => ({
      uid,
      progress: null,
      stats: { totalNbTasks: members.length },
      duration: members[0]?.duration ?? null,
      startedAt: members[0]?.startedAt ?? null,
      finishedAt: members[0]?.finishedAt ?? null,
    }))
    .toSorted((a, b) => b.uid - a.uid)
}
