import { join } from 'node:path'
import {
  startMeilisearch,
  type MeilisearchOptions,
  type RunningMeilisearch,
} from '../harness/meilisearch.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import type { TaskView } from './model.ts'

export const MASTER_KEY = 'fixture-master-key-0123456789'

export interface Sandbox extends AsyncDisposable {
  dir: string
  /** What instance `name` writes when it is asked for a snapshot. */
  snapshotOf(name: string): string
  /** Starts an instance on `<name>.ms`, which goes with the sandbox. */
  start(name: string, options?: Partial<MeilisearchOptions>): Promise<RunningMeilisearch>
}

/** A directory with any number of instances, whichever Meilisearch the tests run. */
export async function sandbox(): Promise<Sandbox> {
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir()).path
  const snapshotDir = join(dir, 'snapshots')
  return {
    dir,
    snapshotOf: (name) => join(snapshotDir, `${name}.ms.snapshot`),
    start: async (name, options = {}) =>
      stack.use(
        await startMeilisearch({
          dbPath: join(dir, `${name}.ms`),
          snapshotDir,
          masterKey: MASTER_KEY,
          ...options,
        }),
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Sends a write and returns its task's uid. */
export async function write(
  meilisearch: RunningMeilisearch,
  method: string,
  path: string,
  body?: unknown,
): Promise<number> {
  const answer = await meilisearch.call(method, path, body)
  if (answer.status !== 202) throw new Error(`${path}: ${JSON.stringify(answer)}`)
  return (answer.body as { taskUid: number }).taskUid
}

/** Waits until a task has ended, well or not. */
export function ended(meilisearch: RunningMeilisearch, uid: number): Promise<TaskView> {
  return until(
    `task ${uid} has ended`,
    async () => {
      const task = (await meilisearch.call('GET', `/tasks/${uid}`)).body as TaskView
      return ['succeeded', 'failed'].includes(task.status) && task
    },
    { timeoutMs: 30_000 },
  )
}

/** Asks for a snapshot and waits for it; returns its task. */
export async function snapshot(meilisearch: RunningMeilisearch): Promise<TaskView> {
  return ended(meilisearch, await write(meilisearch, 'POST', '/snapshots'))
}

/** All ids of an index, in no order. */
export async function idsOf(meilisearch: RunningMeilisearch, index: string): Promise<number[]> {
  const path = `/indexes/${index}/documents?limit=100000&fields=id`
  const { status, body } = await meilisearch.call('GET', path)
  if (status === 404) return []
  return (body as { results: { id: number }[] }).results
    .map(({ id }) => id)
    .toSorted((a, b) => a - b)
}

/** Waits until nothing is enqueued or processing. */
export async function idle(meilisearch: RunningMeilisearch): Promise<void> {
  await until(
    'the queue is empty',
    async () => {
      const path = '/tasks?statuses=enqueued,processing&limit=1'
      return ((await meilisearch.call('GET', path)).body as { total: number }).total === 0
    },
    { timeoutMs: 30_000 },
  )
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}
