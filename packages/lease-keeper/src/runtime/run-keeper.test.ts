import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HaBell } from '@meili-ha/core/ha/ha-bell.ts'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { HEARD, runKeeper } from './run-keeper.ts'

const meili = { health: async () => {} }
const state = () => {}
let ha: HaDir

beforeEach(async () => {
  ha = new HaDir(await mkdtemp(join(tmpdir(), 'run-keeper-')))
})
afterEach(() => rm(ha.path, { recursive: true }))

/** A standby that notes its looks, until it has `ended`. */
function keeperOf(name = 'standby') {
  const looks: number[] = []
  const wholeLooks: number[] = []
  return {
    looks,
    wholeLooks,
    ended: false,
    state: { phase: { name }, beat: null, health: null },
    tick: async () => {
      wholeLooks.push(performance.now())
      looks.push(performance.now())
    },
    tickByBeat: async () => void looks.push(performance.now()),
    tell: async () => {},
  }
}

/** Runs it for so long, and gives the looks of that time. */
async function looksIn(
  ms: number,
  keeper: ReturnType<typeof keeperOf>,
  bell: HaBell,
  stop = false,
) {
  const told = new AbortController()
  const life = runKeeper({ keeper, meili, bell, state } as never, told.signal)
  if (stop) told.abort()
  await sleep(ms)
  keeper.ended = true
  await life
  return keeper.looks
}

test('it looks soon after the guard has written, whatever it rests for', async () => {
  using bell = new HaBell(ha, HEARD)
  const keeper = keeperOf()
  const written: number[] = []
  const beats = setInterval(() => {
    written.push(performance.now())
    void ha.writeLine('guard', 'stopped - 1 | - | -')
  }, 250)
  await looksIn(1100, keeper, bell)
  clearInterval(beats)
  expect(written.length).toBeGreaterThan(2)
  for (const at of written.slice(0, -1)) {
    const next = keeper.looks.find((look) => look > at) ?? Infinity
    expect(next - at).toBeLessThan(240)
  }
})

test('of the guard it reads the beat alone; all of /ha once a second, and when somebody else writes', async () => {
  using bell = new HaBell(ha, HEARD)
  const keeper = keeperOf()
  const beats = setInterval(() => void ha.writeLine('guard', 'stopped - 1 | - | -'), 100)
  let wroteAt = Infinity
  const writes = setTimeout(() => {
    wroteAt = performance.now()
    void ha.writeLine('sync.json', '{}')
  }, 500)
  await looksIn(1900, keeper, bell)
  clearInterval(beats)
  clearTimeout(writes)
  expect(keeper.wholeLooks.some((at) => at > wroteAt && at < wroteAt + 200)).toBe(true)
  // At the start, when told, a second later.
  expect(keeper.wholeLooks.length).toBeGreaterThan(2)
  expect(keeper.wholeLooks.length * 2).toBeLessThan(keeper.looks.length)
})

test('where the kernel tells nothing it looks twice per beat', async () => {
  using bell = new HaBell({ path: join(ha.path, 'absent') }, HEARD)
  const looks = await looksIn(1000, keeperOf(), bell)
  expect(looks.length).toBeGreaterThan(5)
})

test('while a term changes hands it looks all the time', async () => {
  using bell = new HaBell(ha, HEARD)
  const looks = await looksIn(1000, keeperOf('promoting'), bell)
  expect(looks.length).toBeGreaterThan(12)
})

test('told to end, it goes on at its pace until what is under way is over', async () => {
  using bell = new HaBell(ha, HEARD)
  const looks = await looksIn(600, keeperOf(), bell, true)
  expect(looks.length).toBeGreaterThan(1)
  expect(looks.length).toBeLessThan(12)
})
