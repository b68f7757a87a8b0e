import { pino } from 'pino'
import { expect, test } from 'vitest'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { Task } from '@meili-ha/core/meilisearch/task.ts'
import { snapshotContext } from './snapshot-context.ts'
import type { SnapshotFile } from './snapshot-file.ts'
import { findTaskMark } from './task-mark.ts'
import type { Parts } from './wire.ts'

const NEVER = new AbortController().signal
const log = pino({ level: 'silent' })

const snapshotTask = (uid: number, second: number, status = 'succeeded') =>
  ({
    ...{ uid, type: 'snapshotCreation', status, error: null },
    startedAt: `2026-11-23T08:00:${second}.100000000Z`,
    finishedAt: `2026-11-23T08:00:${second}.900000000Z`,
  }) as unknown as Task

/** A Meilisearch that remembers these; each call takes the next answer, the last one stays. */
function remembering(...answers: Task[][]): Parts['meili'] {
  const snapshotTasks = async () => (answers.length > 1 ? answers.shift() : answers[0]) ?? []
  return { snapshotTasks } as unknown as Parts['meili']
}

const fileAt = (second: number) =>
  ({ modifiedAt: new Date(`2026-11-23T08:00:${second}.500Z`) }) as SnapshotFile

test('knows the task that wrote the file, and that all below it are in it', async () => {
  const meili = remembering([snapshotTask(9, 40), snapshotTask(5, 20)])
  expect(await snapshotContext({ meili, log }, fileAt(20), [], NEVER)).toEqual({
    annotations: undefined,
    tasks: {
      ...{ snapshotTaskUid: 5, lastTaskUid: 4 },
      snapshotStartedAt: '2026-11-23T08:00:20.100000000Z',
      snapshotFinishedAt: '2026-11-23T08:00:20.900000000Z',
    },
  })
})

test('of tasks that became one snapshot, the lowest is its mark and the latest annotation its own', async () => {
  const meili = remembering([snapshotTask(7, 20), snapshotTask(6, 20), snapshotTask(4, 20)])
  const asked = [
    { taskUid: 4, annotation: 'first' },
    { taskUid: 6, annotation: 'second' },
  ]
  expect(await snapshotContext({ meili, log }, fileAt(20), asked, NEVER)).toMatchObject({
    ...{ annotations: 'second', tasks: { snapshotTaskUid: 4, lastTaskUid: 3 } },
  })
})

test('the annotation of one that was not published yet is there for the next try', async () => {
  const meili = remembering([snapshotTask(6, 40), snapshotTask(3, 20)])
  const asked = [3, 6].map((taskUid) => ({ taskUid, annotation: `before ${taskUid}` }))
  const annotationAt = async (second: number) =>
    (await snapshotContext({ meili, log }, fileAt(second), asked, NEVER)).annotations
  expect(await annotationAt(20)).toBe('before 3')
  expect(await annotationAt(20)).toBe('before 3')
  expect(await annotationAt(40)).toBe('before 6')
  expect(asked).toHaveLength(1)
})

test("somebody else's snapshot has no annotation", async () => {
  const meili = remembering([snapshotTask(5, 20)])
  const asked = [{ taskUid: 8, annotation: 'later' }]
  const { annotations } = await snapshotContext({ meili, log }, fileAt(20), asked, NEVER)
  expect(annotations).toBeUndefined()
  expect(asked).toHaveLength(1)
})

test('a Meilisearch that does not answer costs the marks, not the snapshot', async () => {
  const snapshotTasks = () => Promise.reject(new MeiliHaError('MEILI_DENIED', 'no key'))
  const meili = { snapshotTasks } as unknown as Parts['meili']
  expect(await snapshotContext({ meili, log }, fileAt(20), [], NEVER)).toEqual({
    ...{ annotations: undefined, tasks: {} },
  })
})

test('the task is waited for: Meilisearch calls it succeeded only after the rename', async () => {
  const meili = remembering([], [], [snapshotTask(5, 20)])
  expect((await findTaskMark(meili, fileAt(20).modifiedAt, NEVER)).uids).toEqual([5])
  let now = 0
  const never = await findTaskMark(
    remembering([]),
    fileAt(20).modifiedAt,
    NEVER,
    () => (now += 6000),
  )
  expect(never).toEqual({ tasks: {}, uids: [] })
})
