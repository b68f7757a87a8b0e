import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import type { Task } from '@meili-ha/core/meilisearch/task.ts'
import { ChangesWaiting } from './changes-waiting.ts'
import { runSchedule, type SchedulerOptions } from './scheduler.ts'
import { uploaderMetrics } from './uploader-metrics.ts'

/**
 * A schedule over a Meilisearch that took one write; `asked` counts its snapshots, each of which ends
 * as `made` says.
 */
function startSchedule(
  term: SchedulerOptions['term'],
  made: Partial<Task> = {},
  options: Partial<SchedulerOptions> = {},
) {
  const task: Task = {
    ...{ uid: 7, type: 'documentAdditionOrUpdate', status: 'succeeded', error: null },
    ...{ enqueuedAt: '2026-11-23T08:00:00Z', startedAt: null, finishedAt: null },
  }
  const metrics = uploaderMetrics()
  const seen = { asked: 0, looks: 0 }
  const stop = new AbortController()
  const ended = runSchedule(
    {
      ...{ everyMs: 1, maxDuty: 1, metrics, term, log: pino({ level: 'silent' }) },
      waiting: new ChangesWaiting(metrics.changesWaiting),
      meili: {
        tasks: async () => {
          seen.looks += 1
          return { results: [task], next: null }
        },
        createSnapshot: async () => (seen.asked += 1),
        task: async () => ({ ...task, ...made }),
      },
      onAsked: () => {},
      onFinished: () => {},
      ...options,
    },
    stop.signal,
  )
  const looksOn = async () => {
    const { looks } = seen
    await vi.waitFor(() => expect(seen.looks).toBeGreaterThan(looks + 2))
  }
  return {
    seen,
    looksOn,
    /** Seconds that the last one cost, as the metric says. */
    cost: async () => {
      const line = /^meili_ha_uploader_snapshot_cost_seconds (.*)$/m
      return Number(line.exec(await metrics.registry.metrics())?.[1])
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await ended
    },
  }
}

test('what was asked for before the claim is asked for again after it: that one is never published', async () => {
  let term = '3, not claimed'
  await using schedule = startSchedule(async () => term)
  await schedule.looksOn()
  expect(schedule.seen.asked).toBe(1)
  term = '3'
  await schedule.looksOn()
  expect(schedule.seen.asked).toBe(2)
  term = '5'
  await schedule.looksOn()
  expect(schedule.seen.asked).toBe(3)
})

test('a snapshot costs what Meilisearch took for it, not what it waited for the batch before', async () => {
  const times = { startedAt: '2026-11-23T08:05:00.5Z', finishedAt: '2026-11-23T08:05:02Z' }
  let clock = 0
  // Five minutes between asking and the end.
  const options = { now: () => (clock += 300_000) }
  await using schedule = startSchedule(async () => '3', times, options)
  await vi.waitFor(async () => expect(await schedule.cost()).toBe(1.5))
})

test('a clock that Meilisearch lost meanwhile makes no snapshot dearer than the time since asking', async () => {
  const times = { startedAt: '2026-11-23T08:05:00Z', finishedAt: '2026-11-24T08:05:00Z' }
  let clock = 0
  const options = { now: () => (clock += 1000) }
  await using schedule = startSchedule(async () => '3', times, options)
  await vi.waitFor(async () => expect(await schedule.cost()).toBe(1))
})
