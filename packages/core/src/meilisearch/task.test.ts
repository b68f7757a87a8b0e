import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findForeignTask, foreignTasks } from './foreign-tasks.ts'
import { snapshotTaskOf } from './snapshot-task.ts'
import { taskFailure, type Task } from './task.ts'

const at = (ms: number) => new Date(ms).toISOString()

function task(uid: number, change: Partial<Task> = {}): Task {
  const times = { enqueuedAt: at(0), startedAt: at(0), finishedAt: at(0) }
  return { uid, type: 'snapshotCreation', status: 'succeeded', error: null, ...times, ...change }
}

/** A snapshot that ran from `start` to `end`, milliseconds. */
function ran(uid: number, start: number, end: number): Task {
  return task(uid, { startedAt: at(start), finishedAt: at(end) })
}

describe('the task of a snapshot file', () => {
  test('is the one that ran when the file was written', () => {
    const tasks = [ran(9, 3000, 4000), ran(5, 1000, 2000)]
    expect(snapshotTaskOf(tasks, 3999.9)?.uid).toBe(9)
    expect(snapshotTaskOf(tasks, 1500)?.uid).toBe(5)
    expect(snapshotTaskOf(tasks, 2500)).toBeUndefined()
    expect(snapshotTaskOf(tasks, 4500)).toBeUndefined()
    expect(snapshotTaskOf([], 1500)).toBeUndefined()
  })

  test('is not known yet while the task is unfinished: the rename comes first', () => {
    const running = task(9, { status: 'processing', startedAt: at(3000), finishedAt: null })
    expect(snapshotTaskOf([running, ran(5, 1000, 2000)], 3500)).toBeUndefined()
  })

  test('is never a failed one, nor one of another type', () => {
    const failed = { ...ran(3, 1000, 2000), status: 'failed' }
    const other = { ...ran(4, 1000, 2000), type: 'documentDeletion' }
    expect(snapshotTaskOf([failed, other], 1500)).toBeUndefined()
  })

  test('is found below a millisecond, and though file clocks tick coarsely', () => {
    const nanoseconds = {
      startedAt: '1970-01-01T00:00:01.000900000Z',
      finishedAt: '1970-01-01T00:00:01.007100000Z',
    }
    const tasks = [task(1, nanoseconds)]
    expect(snapshotTaskOf(tasks, 1007.05)?.uid).toBe(1)
    expect(snapshotTaskOf(tasks, 996)?.uid).toBe(1)
    expect(snapshotTaskOf(tasks, 980)).toBeUndefined()
  })

  test('is the lowest of those merged into one snapshot', () => {
    expect(snapshotTaskOf([ran(8, 1000, 2000), ran(6, 1000, 2000)], 1500)?.uid).toBe(6)
  })

  test('always ran when the file was written, whatever the list', () => {
    const anyTask = fc
      .tuple(fc.nat(50), fc.nat(1000), fc.nat(1000), fc.constantFrom('succeeded', 'failed'))
      .map(([uid, start, length, status]) => ({ ...ran(uid, start, start + length), status }))
    fc.assert(
      fc.property(fc.array(anyTask), fc.nat(2000), (tasks, mtime) => {
        const fits = (one: Task) =>
          one.status === 'succeeded' &&
          Date.parse(one.startedAt ?? '') - 10 <= mtime &&
          mtime <= Date.parse(one.finishedAt ?? '')
        const found = snapshotTaskOf(tasks, mtime)
        expect(found ? fits(found) : tasks.some(fits)).toBe(found !== undefined)
      }),
    )
  })
})

describe('foreign tasks', () => {
  test('are those above the mark that no restore, schedule or upgrade makes', () => {
    const tasks = [
      task(4, { type: 'documentAdditionOrUpdate' }),
      task(5, { type: 'upgradeDatabase' }),
      task(6),
      task(7, { type: 'settingsUpdate', status: 'failed' }),
      task(8, { type: 'documentDeletion', status: 'enqueued' }),
    ]
    expect(foreignTasks(tasks, 4).map(({ uid }) => uid)).toEqual([7, 8])
    expect(foreignTasks(tasks, 8)).toEqual([])
    expect(foreignTasks(tasks, -1).map(({ uid }) => uid)).toEqual([4, 7, 8])
  })

  test('are found behind any number of scheduled snapshots, reading no further than the mark', async () => {
    const tasks = Array.from({ length: 1000 }, (_, uid) =>
      task(uid, uid === 500 ? { type: 'documentDeletion' } : {}),
    ).toReversed()
    let pages = 0
    const client = {
      tasks: async ({ limit = 20, from = 999 }: { limit?: number; from?: number } = {}) => {
        pages++
        const rest = tasks.filter(({ uid }) => uid <= from)
        return { results: rest.slice(0, limit), next: rest[limit]?.uid ?? null }
      },
    }
    expect((await findForeignTask(client, 499))?.uid).toBe(500)
    expect(await findForeignTask(client, 500)).toBeUndefined()
    pages = 0
    expect(await findForeignTask(client, 950)).toBeUndefined()
    expect(pages).toBe(1)
    expect((await findForeignTask(client, -1))?.uid).toBe(500)
  })
})

describe('a task that failed', () => {
  test('of MEILI_S3_* settings says which to remove', () => {
    const error = {
      message: 'processing an S3-streaming snapshot task requires the Enterprise Edition',
      code: 'requires_enterprise_edition',
    }
    const failure = taskFailure(task(0, { status: 'failed', error }))
    expect(failure).toMatchObject({
      code: 'MEILI_HA_MEILI_ENTERPRISE',
      remoteCode: 'requires_enterprise_edition',
    })
    expect(failure?.hint).toContain('MEILI_S3_*')
  })

  test('of anything else keeps its code and message', () => {
    const error = { message: 'No space left on device', code: 'no_space_left_on_device' }
    expect(taskFailure(task(3, { status: 'failed', error }))).toMatchObject({
      code: 'MEILI_HA_MEILI_FAILED',
      message: 'task 3 (snapshotCreation) was failed: No space left on device',
      remoteCode: 'no_space_left_on_device',
    })
    expect(taskFailure(task(3, { status: 'canceled' }))?.message).toContain('was canceled')
  })

  test('may not have failed at all', () => {
    for (const status of ['enqueued', 'processing', 'succeeded']) {
      expect(taskFailure(task(3, { status }))).toBeUndefined()
    }
  })
})
