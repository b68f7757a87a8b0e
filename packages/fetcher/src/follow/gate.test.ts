import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { Gate } from './gate.ts'

let ha: HaDir
let now = 0
beforeEach(async () => {
  ha = new HaDir(await mkdtemp(join(tmpdir(), 'gate-')))
  now = 1000
})
afterEach(() => rm(ha.path, { recursive: true }))

/** A gate whose every sleep lets `guard` do one step. */
const gateWith = (guard: () => Promise<void>) =>
  new Gate({
    ha,
    clock: { now: () => now, bootId: () => 'boot' },
    sleep: async (ms) => {
      now += ms / 10
      await guard()
    },
  })
const beat = async (state: string, at: number, data?: string) =>
  ha.writeLine('guard', `${state} ${at} | - | ${data ?? (await ha.readLine('data')) ?? '-'}`)

describe('the gate', () => {
  test('is closed once the guard echoes it, stopped, later', async () => {
    const gate = gateWith(() => beat('stopped -', now))
    await gate.open('0000000001-0000000002')
    await gate.close()
    expect(await gate.read()).toMatchObject({ state: 'closed' })
  })

  test.each([
    ['still runs it', () => beat('running 7', now)],
    ['echoes what was there before', () => beat('stopped -', now, 'closed 0')],
    ['beat before it was closed', () => beat('stopped -', 999)],
    ['says nothing', async () => {}],
  ])('is not closed while the guard %s', async (_, guard) => {
    const gate = gateWith(guard)
    await gate.open(null)
    await expect(gate.close()).rejects.toThrow(/has not confirmed/)
  })

  test('is closed though a guard that starts has taken the word away', async () => {
    let looks = 0
    const gate = gateWith(async () => {
      looks += 1
      if (looks === 1) await ha.remove('data')
      await beat('stopped -', now)
    })
    await gate.open(null)
    await gate.close()
    expect(looks).toBe(2)
    expect(await gate.read()).toMatchObject({ state: 'closed' })
  })

  test('that was never open needs nobody to close it', async () => {
    await gateWith(() => Promise.reject(new Error('waited'))).close()
    expect(await ha.readLine('data')).toBeUndefined()
  })

  test('closed by a fetcher that was killed is closed anew', async () => {
    await ha.writeLine('data', 'closed old')
    await expect(gateWith(() => beat('stopped -', now, 'closed old')).close()).rejects.toThrow(
      /has not/,
    )
  })
})
