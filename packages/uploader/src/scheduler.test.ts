import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import type { Task } from '@meili-ha/core/meilisearch/task.ts'
import { ChangesWaiting } from './changes-waiting.ts'
import { runSchedule, type SchedulerOptions } from './scheduler.ts'
import { uploaderMetrics } from './uploader-metrics.ts'

/** A schedule over a Meilisearch that took one write; `asked` counts its snapshots. */
function startSchedule(term: SchedulerOptions['term']) {
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
        task: async () => task,
      },
      onAsked: () => {},
      onFinished: () => {},
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
