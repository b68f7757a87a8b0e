import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '@meili-ha/core/errors.ts'
import type { MeilisearchClient } from '@meili-ha/core/meilisearch/client.ts'
import type { Task } from '@meili-ha/core/meilisearch/task.ts'
import type { Logger } from 'pino'
import { askSnapshot, waitForTask, type AskedSnapshot } from './ask-snapshot.ts'
import type { ChangesWaiting } from './changes-waiting.ts'
import { decideSnapshot, hasChanged, type SchedulePolicy, type ScheduleState } from './schedule.ts'
import type { UploaderMetrics } from './uploader-metrics.ts'

export interface SchedulerOptions extends SchedulePolicy {
  meili: Pick<MeilisearchClient, 'tasks' | 'task' | 'createSnapshot'>
  annotateCommand?: string | undefined
  log: Logger
  metrics: UploaderMetrics
  waiting: ChangesWaiting
  /**
   * The term in which it may publish, its claim included. Undefined = it may not, and doesn't ask: a
   * standby's snapshot would be of no use.
   */
  term: () => Promise<string | undefined>
  /** Told as soon as a snapshot was asked for, and again when it is there. */
  onAsked: (asked: AskedSnapshot) => void
  onFinished: () => void
  /** Milliseconds, monotonic. */
  now?: () => number
}

const RETRY_MS = 5000

/** `--every`: asks for a snapshot when tasks changed, until `signal` aborts. Never throws. */
export async function runSchedule(options: SchedulerOptions, signal: AbortSignal): Promise<void> {
  const { now = () => performance.now(), log } = options
  const state: ScheduleState = {
    beganAt: undefined,
    costMs: 0,
    term: undefined,
    newestTask: undefined,
    newestTaskThen: undefined,
  }
  while (!signal.aborted) {
    const waitMs = await step(options, state, now, signal).catch((error: unknown) => {
      if (!signal.aborted) {
        log.warn({ event: 'snapshot.ask_failed', err: error }, messageOf(error))
      }
      return RETRY_MS
    })
    await sleep(waitMs, undefined, { signal }).catch(() => {})
  }
}

/** One look; returns how long to wait until the next, in milliseconds. */
async function step(
  options: SchedulerOptions,
  state: ScheduleState,
  now: () => number,
  signal: AbortSignal,
): Promise<number> {
  const { meili, log, metrics, waiting } = options
  const term = await options.term()
  if (term === undefined) {
    waiting.unknown()
    return RETRY_MS
  }
  // What was asked for in an earlier term, or before this one's claim, may never have been published:
  // where nobody writes any more it would be missing until somebody does.
  if (term !== state.term) Object.assign(state, { term, newestTaskThen: undefined })
  state.newestTask = await newestWrite(meili)
  if (hasChanged(state)) waiting.seen()
  else waiting.none()
  const decision = decideSnapshot(state, options, now())
  if (!decision.ask) return decision.waitMs
  const askedAt = now()
  state.beganAt = askedAt
  const asked = await askSnapshot(meili, { annotateCommand: options.annotateCommand, signal })
  options.onAsked(asked)
  log.info({ event: 'snapshot.asked', taskUid: asked.taskUid }, 'asked Meilisearch for a snapshot')
  const made = await waitForTask(meili, asked.taskUid, signal)
  const endedAt = now()
  state.newestTaskThen = state.newestTask
  state.costMs = costOf(made, endedAt - askedAt)
  state.beganAt = endedAt - state.costMs
  metrics.snapshotSeconds.set(state.costMs / 1000)
  options.onFinished()
  return 0
}

/**
 * How long Meilisearch made it, and indexed nothing; not what it waited for the batch before, in which
 * Meilisearch did index: a busy one would be asked seldom although its snapshots are cheap. Never
 * more than the time since it was asked for, whatever was done to the clock of Meilisearch meanwhile.
 */
function costOf({ startedAt, finishedAt }: Task, sinceAskedMs: number): number {
  if (startedAt === null || finishedAt === null) return sinceAskedMs
  const ownMs = Date.parse(finishedAt) - Date.parse(startedAt)
  return ownMs < 0 ? sinceAskedMs : Math.min(ownMs, sinceAskedMs)
}

/** The newest task that isn't a snapshot: those change nothing. */
async function newestWrite(meili: SchedulerOptions['meili']): Promise<number | undefined> {
  const { results } = await meili.tasks({ limit: 20 })
  return results.find((task) => task.type !== 'snapshotCreation')?.uid
}
