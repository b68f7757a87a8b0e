import { expect, test } from 'vitest'
import { ChangesWaiting } from './changes-waiting.ts'

function waiting() {
  const values: number[] = []
  const gauge = { set: (value: number) => void values.push(value) }
  return { changes: new ChangesWaiting(gauge as never), value: () => values.at(-1) }
}

const at = (time: string) => Date.parse(time)
const NINE = '2026-11-25T09:00:00Z'
const TEN = '2026-11-25T10:00:00Z'

test('not known until somebody has looked', () => {
  const { changes, value } = waiting()
  expect(value()).toBe(-1)
  changes.none()
  expect(value()).toBe(0)
})

test('what waits, waits since it was first seen', () => {
  const { changes, value } = waiting()
  changes.seen(at(NINE))
  changes.seen(at(TEN))
  expect(value()).toBe(at(NINE) / 1000)
})

test('a snapshot that was asked for is not published yet', () => {
  const { changes, value } = waiting()
  changes.seen(at(NINE))
  changes.none()
  expect(value()).toBe(at(NINE) / 1000)
})

test('a snapshot that began later holds them; an older one does not', () => {
  const { changes, value } = waiting()
  changes.seen(at(TEN))
  changes.published(NINE)
  expect(value()).toBe(at(TEN) / 1000)
  changes.published(TEN)
  expect(value()).toBe(0)
})

test('whoever does not publish does not know', () => {
  const { changes, value } = waiting()
  changes.seen(at(NINE))
  changes.unknown()
  expect(value()).toBe(-1)
})
