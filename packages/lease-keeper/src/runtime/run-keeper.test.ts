import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { HaBell } from '@meili-ha/core/ha/ha-bell.ts'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { HEARD, runKeeper } from './run-keeper.ts'

const meili = { health: async () => {} }
const state = () => {}
const PATIENCE = { timeout: 10_000, interval: 10 }
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

test('of the guard it reads the beat alone; all of /ha now and then, and when somebody else writes', async () => {
  using bell = new HaBell(ha, HEARD)
  const keeper = keeperOf()
  const beats = setInterval(() => void ha.writeLine('guard', 'stopped - 1 | - | -'), 100)
  await looksIn(3000, keeper, bell)
  clearInterval(beats)
  expect(keeper.wholeLooks.length).toBeGreaterThan(1)
  expect(keeper.wholeLooks.length * 2).toBeLessThan(keeper.looks.length)
})

test.each(HEARD.filter((file) => file !== 'guard'))(
  '%s is looked at when it is written',
  async (file) => {
    using bell = new HaBell(ha, HEARD)
    const keeper = keeperOf()
    const told = new AbortController()
    const beats = setInterval(() => void ha.writeLine('guard', 'stopped - 1 | - | -'), 50)
    const life = runKeeper({ keeper, meili, bell, state } as never, told.signal)
    await vi.waitUntil(() => keeper.looks.length > keeper.wholeLooks.length, PATIENCE)
    const before = keeper.wholeLooks.length
    const wroteAt = performance.now()
    await ha.writeLine(file, '1')
    await vi.waitUntil(() => keeper.wholeLooks.length > before, PATIENCE)
    // The next whole look would come a second after the last.
    expect(performance.now() - wroteAt).toBeLessThan(500)
    clearInterval(beats)
    keeper.ended = true
    await life
  },
)

test('one that begins to run is asked at once, and often until it answers', async () => {
  using bell = new HaBell(ha, HEARD)
  const keeper = keeperOf()
  const asked: number[] = []
  const health = async () => {
    asked.push(performance.now())
    if (asked.length === 3) Object.assign(keeper.state, { health: { healthy: true } })
  }
  const told = new AbortController()
  const life = runKeeper({ keeper, meili: { health }, bell, state } as never, told.signal)
  await sleep(300)
  const runsAt = performance.now()
  Object.assign(keeper.state, { beat: { state: 'running' } })
  await vi.waitUntil(() => asked.length >= 3, PATIENCE)
  // It rests for a second while there is nobody to ask.
  expect(asked[2]! - runsAt).toBeLessThan(600)
  const proven = asked.length
  await sleep(400)
  expect(asked.length - proven).toBeLessThan(2)
  keeper.ended = true
  await life
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
