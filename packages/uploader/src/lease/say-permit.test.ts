import { pino } from 'pino'
import { expect, test } from 'vitest'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { tempDir } from '../temp-dir.fixture.ts'
import { sayPermit } from './say-permit.ts'

/** What is logged in as many seconds as there are entries, each the epoch of that second. */
async function saidIn(seconds: (number | undefined)[], permit?: string): Promise<string[]> {
  await using dir = await tempDir()
  const ha = new HaDir(dir.path)
  if (permit !== undefined) await ha.writeLine('permit', permit)
  const events: string[] = []
  const log = pino(
    {},
    { write: (line) => void events.push((JSON.parse(line) as { event: string }).event) },
  )
  const stop = new AbortController()
  let second = 0
  await sayPermit(
    {
      ha,
      log,
      terms: { current: () => Promise.resolve(seconds[second]) },
      sleep: async () => {
        second += 1
        if (second === seconds.length) stop.abort()
      },
    },
    stop.signal,
  )
  return events
}

const nothing = Array.from({ length: 40 }, () => undefined)

test('whoever waits for a permit that nobody gives says so, once', async () => {
  expect(await saidIn(nothing)).toEqual(['permit.none', 'permit.missing'])
})

test('a standby is no cause for alarm, and each change of what is permitted is told', async () => {
  expect(await saidIn(nothing, 'standby 3 - - b007')).toEqual(['permit.none'])
  expect(await saidIn([undefined, 3, 3, undefined, 4])).toEqual([
    'permit.none',
    'permit.held',
    'permit.none',
    'permit.held',
  ])
})
