import { expect, test } from 'vitest'
import { turnRest } from './turn-rest.ts'

test.each([
  ['while somebody waits for its answer', { awaited: true, idle: true }, 50, 50],
  ['while something is under way', { awaited: false, idle: false }, 250, 250],
  ['while nothing is', { awaited: false, idle: true }, 250, 1000],
  ['shortly before the next list', { awaited: false, idle: true, untilListMs: 600 }, 250, 600],
  ['when that is due', { awaited: false, idle: true, untilListMs: -5 }, 250, 250],
])('%s', (_name, between, ms, toldMs) => {
  expect(turnRest({ untilListMs: 30_000, ...between })).toEqual({ ms, toldMs })
})
