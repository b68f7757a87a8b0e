import { expect, test } from 'vitest'
import { type BetweenTurns, turnRest } from './turn-rest.ts'

const IDLE: BetweenTurns = {
  awaited: false,
  decided: true,
  preparing: false,
  outOfRouting: false,
  unwritten: false,
  asking: false,
  untilListMs: 30_000,
}

test.each<[string, Partial<BetweenTurns>, number, number]>([
  ['while nothing is under way', {}, 250, 1000],
  ['while somebody waits for its answer', { awaited: true }, 50, 50],
  ['before it is decided what to do', { decided: false }, 250, 250],
  ['while a snapshot is prepared', { preparing: true }, 250, 250],
  ['while a swap is near', { outOfRouting: true }, 250, 250],
  ['while an empty beginning has no lineage', { unwritten: true }, 250, 250],
  ['while Meilisearch has not said what it must', { asking: true }, 250, 250],
  ['shortly before the next list', { untilListMs: 599.1 }, 250, 600],
  ['when that is due', { untilListMs: -5 }, 250, 250],
])('%s', (_name, between, ms, toldMs) => {
  expect(turnRest({ ...IDLE, ...between })).toEqual({ ms, toldMs })
})
