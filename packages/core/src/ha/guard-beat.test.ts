import fc from 'fast-check'
import { expect, it } from 'vitest'
import { echoesStoppedData, echoesStoppedPermit, parseBeat } from './guard-beat.ts'

const permits = fc.constantFrom('-', '?', 'stop 3 - - abc', 'primary 3 100 200 abc')
const data = fc.constantFrom('-', '?', 'ready -', 'closed n1')
const states = fc.oneof(
  fc.constant({ state: 'stopped', pid: null }),
  fc.integer({ min: 1, max: 4_194_304 }).map((pid) => ({ state: 'running', pid })),
)

it('reads what the guard writes', () => {
  fc.assert(
    fc.property(states, fc.nat(), permits, data, ({ state, pid }, now, permitLine, dataLine) => {
      const beat = parseBeat(`${state} ${pid ?? '-'} ${now} | ${permitLine} | ${dataLine}`)
      expect(beat).toMatchObject({ state, pid, now, permitLine, dataLine })
    }),
  )
})

it('understands the permit and the data that were read, where they are well-formed', () => {
  const beat = parseBeat('running 7 12 | primary 3 100 200 abc | ready -')
  expect(beat?.permit).toMatchObject({ role: 'primary', epoch: 3, termAt: 100, killAt: 200 })
  expect(beat?.data).toEqual({ state: 'ready', snapshotId: null })
  const vague = parseBeat('stopped - 12 | ? | -')
  expect(vague).toMatchObject({ permit: undefined, data: undefined })
})

it.each([
  '',
  'running',
  'running - 12 | - | -',
  'stopped 7 12 | - | -',
  'dying 7 12 | - | -',
  'stopped - x | - | -',
  'stopped - 12 | - ',
  'stopped - 12 | - | - | -',
  'stopped - 12 | - | -\nstopped - 13 | - | -',
  'stopped - 99999999999999999999 | - | -',
])('refuses %j', (line) => expect(parseBeat(line)).toBeUndefined())

it('never reads garbage as a beat', () => {
  fc.assert(
    fc.property(fc.string(), (line) => {
      expect(parseBeat(line)).toBeUndefined()
    }),
  )
})

it('an echo counts only when Meilisearch is stopped, the words are the same, and it is later', () => {
  const line = 'stopped - 100 | stop 3 - - abc | closed n1'
  const beat = parseBeat(line)
  expect(echoesStoppedData(beat, 'closed n1', 99)).toBe(true)
  expect(echoesStoppedData(beat, 'closed n1', 100)).toBe(false)
  expect(echoesStoppedData(beat, 'closed n2', 99)).toBe(false)
  expect(echoesStoppedPermit(beat, 'stop 3 - - abc', 99)).toBe(true)
  expect(echoesStoppedPermit(beat, 'stop 3 - - abc', 100)).toBe(false)
  expect(echoesStoppedPermit(beat, 'stop 4 - - abc', 99)).toBe(false)
  const running = parseBeat(line.replace('stopped -', 'running 7'))
  expect(echoesStoppedData(running, 'closed n1', 99)).toBe(false)
  expect(echoesStoppedPermit(running, 'stop 3 - - abc', 99)).toBe(false)
  expect(echoesStoppedData(undefined, 'closed n1', 99)).toBe(false)
})
