import { expect, test } from 'vitest'
import { lossWindows } from './loss-window.ts'

test('a write is lost until the first snapshot that holds it is listed', () => {
  const writes = [1, 2, 3, 4].map((taskUid) => ({ taskUid, at: taskUid * 100 }))
  const listings = [
    { at: 1000, lastTaskUid: 3 },
    { at: 700, lastTaskUid: 1 },
  ]
  // The fourth is in none: how long it will be is not known.
  expect(lossWindows(writes, listings)).toEqual([600, 800, 700])
})

test('a write that is listed before its answer is read has a window of nothing', () => {
  expect(lossWindows([{ taskUid: 1, at: 11 }], [{ at: 10, lastTaskUid: 1 }])).toEqual([0])
})
