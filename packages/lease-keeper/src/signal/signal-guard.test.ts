import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import type { ProcessId } from './find-meilisearch.ts'
import { SignalGuard } from './signal-guard.ts'

const BOOT = '0b1c2d3e-0000-4000-8000-000000000000'

let ha: HaDir
let now: number
let running: ProcessId[]
let sent: string[]
let guard: SignalGuard

beforeEach(async () => {
  ha = new HaDir(await mkdtemp(join(tmpdir(), 'meili-ha-signal-')))
  now = 10_000
  running = [{ pid: 7, startedAt: '22' }]
  sent = []
  const clock = { now: () => now, bootId: () => BOOT }
  const kill = (pid: number, signal: string) => void sent.push(`${pid} ${signal}`)
  guard = new SignalGuard(ha, clock, pino({ level: 'silent' }), kill, async () => running)
})
afterEach(() => rm(ha.path, { recursive: true }))

/** Ticks as the keeper does, four times a second, until `until`. */
async function tickUntil(until: number): Promise<void> {
  for (; now <= until; now += 25) await guard.tick()
}

const permit = (termAt: number, killAt: number, boot = BOOT) =>
  ha.writeLine('permit', `primary 3 ${termAt} ${killAt} ${boot}`)

test('without a permit Meilisearch is told to end at once, and killed two seconds later', async () => {
  await guard.tick()
  expect(sent).toEqual(['7 SIGTERM'])
  await tickUntil(10_199)
  expect(sent).toEqual(['7 SIGTERM'])
  await tickUntil(10_200)
  expect(sent).toEqual(['7 SIGTERM', '7 SIGKILL'])
})

test('each one that appears is told anew, also under the pid of an earlier one', async () => {
  await guard.tick()
  running = [{ pid: 7, startedAt: '99' }]
  await guard.tick()
  expect(sent).toEqual(['7 SIGTERM', '7 SIGTERM'])
})

test('a permit lets it run until the first look at which the next would be too late', async () => {
  await permit(10_900, 11_200)
  await tickUntil(10_849)
  expect(sent).toEqual([])
  await tickUntil(10_875)
  expect(sent).toEqual(['7 SIGTERM'])
})

test('one that ignores SIGTERM is dead by kill-at, however short that is', async () => {
  await permit(10_900, 11_000)
  await tickUntil(10_975)
  expect(sent.slice(0, 2)).toEqual(['7 SIGTERM', '7 SIGKILL'])
})

test('a permit of another boot, a standby, or garbage lets nothing run', async () => {
  for (const line of [
    'primary 3 10900 11200 00000000-0000-4000-8000-000000000000',
    `standby 3 - - ${BOOT}`,
    'primary',
  ]) {
    running = [{ pid: 7, startedAt: line }]
    sent = []
    await ha.writeLine('permit', line)
    await guard.tick()
    expect(sent, line).toEqual(['7 SIGTERM'])
  }
})

test('it beats as the guard does, with what it read and what it found', async () => {
  await permit(10_900, 11_200)
  await guard.tick()
  expect(await ha.readLine('guard')).toBe(`running 7 10000 | primary 3 10900 11200 ${BOOT} | -`)
  running = []
  await ha.remove('permit')
  await guard.tick()
  expect(await ha.readLine('guard')).toBe('stopped - 10000 | - | -')
})
