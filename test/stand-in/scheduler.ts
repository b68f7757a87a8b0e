import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from './database.ts'
import { applyTask, TaskFailure } from './indexing.ts'
import { errorOf, type StoredTask, type TaskView, type Work } from './model.ts'

export interface SchedulerOptions {
  database: Database
  engine: string
  /** Milliseconds that each batch takes. */
  batchMs: number
  /** Writes a snapshot without these tasks. */
  snapshot: (tasks: readonly StoredTask[]) => Promise<void>
  s3Snapshots: boolean
}

interface NewTask {
  type: string
  indexUid?: string | null
  details?: Record<string, unknown>
  customMetadata?: string | undefined
  work: Work
}

/** The task queue and the one thread that empties it. */
export class Scheduler {
  readonly #options: SchedulerOptions
  #batchUid: number
  #enqueued: StoredTask[]
  #running = false
  /** Tasks of the batch under way: on disk they stay enqueued, so a kill runs them again. */
  #processing = new Map<number, string>()

  constructor(options: SchedulerOptions) {
    this.#options = options
    const { database, engine } = options
    const tasks = [...database.tasks.values()]
    this.#batchUid = tasks.reduce((top, { view }) => Math.max(top, view.batchUid ?? -1), -1) + 1
    this.#enqueued = tasks.filter((task) => task.view.status === 'enqueued')
    const from = database.internalVersion
    if (from !== undefined && from !== engine) {
      const details = { upgradeFrom: `v${from}`, upgradeTo: `v${engine}` }
      this.register({ type: 'upgradeDatabase', details, work: { kind: 'upgrade' } })
    }
    this.#wake()
  }

  /** Puts a task on disk, and only then returns it: what was acknowledged survives kill -9. */
  register(task: NewTask): TaskView {
    const { type, indexUid = null, details, customMetadata, work } = task
    const view: TaskView = {
      uid: this.#options.database.nextTaskUid,
      batchUid: null,
      indexUid,
      status: 'enqueued',
      type,
      canceledBy: null,
      ...(details ? { details } : {}),
      error: null,
      duration: null,
      enqueuedAt: now(),
      startedAt: null,
      finishedAt: null,
      ...(customMetadata === undefined ? {} : { customMetadata }),
    }
    const stored = { view, work }
    this.#options.database.saveTask(stored)
    this.#enqueued.push(stored)
    this.#wake()
    return view
  }

  /** All tasks as they are now, newest first. */
  views(): TaskView[] {
    return [...this.#options.database.tasks.values()]
      .map(({ view }) => {
        const startedAt = this.#processing.get(view.uid)
        return startedAt === undefined
          ? view
          : { ...view, batchUid: this.#batchUid, status: 'processing' as const, startedAt }
      })
      .toReversed()
  }

  isIndexing(indexUid: string): boolean {
    return this.views().some((task) => task.status === 'processing' && task.indexUid === indexUid)
  }

  #wake(): void {
    if (this.#running) return
    this.#running = true
    void this.#run()
  }

  async #run(): Promise<void> {
    // After the answer to the write that woke it.
    await sleep(0)
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) {
      await this.#process(batch)
    }
    // In the same turn as the look that found nothing: a write that comes now must wake it.
    this.#running = false
  }

  /** An upgrade first, then all snapshots as one, then documents in their order. */
  #next(): StoredTask[] {
    const enqueued = this.#enqueued
    const upgrade = enqueued.find((task) => task.work.kind === 'upgrade')
    if (upgrade) return [upgrade]
    const snapshots = enqueued.filter((task) => task.work.kind === 'snapshot')
    if (snapshots.length > 0) return snapshots
    const [first] = enqueued
    if (!first) return []
    const end = enqueued.findIndex(
      ({ view }) => view.type !== first.view.type || view.indexUid !== first.view.indexUid,
    )
    return first.view.type.startsWith('document')
      ? enqueued.slice(0, end < 0 ? undefined : end)
      : [first]
  }

  async #process(batch: readonly StoredTask[]): Promise<void> {
    const startedAt = now()
    this.#processing = new Map(batch.map((task) => [task.view.uid, startedAt]))
    const snapshot = batch[0]?.work.kind === 'snapshot'
    await sleep(snapshot ? 0 : this.#options.batchMs)
    const failure = snapshot ? await this.#snapshot(batch) : undefined
    for (const task of batch) this.#finish(task, startedAt, failure ?? this.#apply(task))
    this.#enqueued = this.#enqueued.filter((task) => !batch.includes(task))
    this.#processing.clear()
    this.#batchUid++
  }

  async #snapshot(batch: readonly StoredTask[]): Promise<TaskFailure | undefined> {
    if (this.#options.s3Snapshots) {
      const why = 'processing an S3-streaming snapshot task requires the Enterprise Edition'
      return new TaskFailure('requires_enterprise_edition', why)
    }
    try {
      await this.#options.snapshot(batch)
      return undefined
    } catch (error) {
      return new TaskFailure('internal', String(error))
    }
  }

  #apply(task: StoredTask): TaskFailure | Record<string, unknown> {
    const { database, engine } = this.#options
    if (task.work.kind === 'upgrade') database.saveVersion(engine)
    try {
      return applyTask(database, task, now())
    } catch (error) {
      if (error instanceof TaskFailure) return error
      throw error
    }
  }

  #finish(
    { view, work }: StoredTask,
    startedAt: string,
    outcome: TaskFailure | Record<string, unknown>,
  ): void {
    const failure = outcome instanceof TaskFailure ? outcome : undefined
    const details = outcome instanceof TaskFailure ? {} : outcome
    const finishedAt = now()
    const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000
    this.#options.database.saveTask({
      work,
      view: {
        ...view,
        batchUid: this.#batchUid,
        status: failure ? 'failed' : 'succeeded',
        ...(view.details ? { details: { ...view.details, ...details } } : {}),
        error: failure ? errorOf(failure.code, failure.message) : null,
        duration: `PT${seconds}S`,
        startedAt,
        finishedAt,
      },
    })
    if ('content' in work) this.#options.database.dropContent(work.content)
  }
}

function now(): string {
  return new Date().toISOString()
}
