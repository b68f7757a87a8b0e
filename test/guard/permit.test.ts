/* oxlint-disable vitest/no-standalone-expect -- `it` is the one of the shell under test */
import { writeFileSync } from 'node:fs'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { expect } from 'vitest'
import { bootId, until } from './guarded.ts'
import { underEachShell } from './shells.ts'

const later = (centiseconds: number) => systemBootClock.now() + centiseconds

const refused: Record<string, () => string | null> = {
  'is missing': () => null,
  'is empty': () => '',
  'is garbage': () => 'garbage | * $(reboot) `x`',
  'says stop': () => `stop 1 - - ${bootId}`,
  'has ended': () => `primary 1 ${later(-200)} ${later(-100)} ${bootId}`,
  'ends before the next look': () => `primary 1 ${later(5)} ${later(1000)} ${bootId}`,
  'is of another boot': () => `primary 1 ${later(900)} ${later(1200)} ${bootId.replace(/./g, 'a')}`,
  'is a standby of another boot': () => 'standby 1 - - 00000000-0000-0000-0000-000000000000',
  'has no boot id': () => `primary 1 ${later(900)} ${later(1200)}`,
  'is longer than the longest': () => `primary 1 ${later(900)} ${later(31_000)} ${bootId}`,
  'kills before it terminates': () => `primary 1 ${later(900)} ${later(800)} ${bootId}`,
  'has a word too many': () => `primary 1 ${later(900)} ${later(1200)} ${bootId} x`,
  'has a leading zero': () => `primary 1 0${later(900)} 0${later(1200)} ${bootId}`,
  'has a number too long': () => `primary 1 99999999999999999999 99999999999999999999 ${bootId}`,
  'has an epoch too long': () =>
    `primary 9${'0'.repeat(19)} ${later(900)} ${later(1200)} ${bootId}`,
  'has no numbers': () => `primary x y z ${bootId}`,
  'is a standby with times': () => `standby 1 ${later(900)} ${later(1200)} ${bootId}`,
  'has another role': () => `leader 1 ${later(900)} ${later(1200)} ${bootId}`,
}

underEachShell('a permit', (it) => {
  it('that allows starts Meilisearch, after a beat that echoes it', async ({ start }) => {
    const guarded = start()
    guarded.data('ready 0000000001-0000000002')
    guarded.primary(7, 900, 1200)
    const pid = await guarded.running()
    expect(guarded.beat()).toMatchObject({
      pid,
      permit: { role: 'primary', epoch: 7 },
      dataLine: 'ready 0000000001-0000000002',
    })
    expect(guarded.read('engine')).toBe('meilisearch 1.50.0\n')
  })

  for (const [what, line] of Object.entries(refused)) {
    it(`that ${what} starts nothing, and stops a primary at once`, async ({ start }) => {
      const guarded = start()
      guarded.data('ready -')
      guarded.permit(line())
      await guarded.looks()
      expect(guarded.starts()).toEqual([])
      guarded.primary(1, 900, 1200)
      await guarded.running()
      guarded.permit(line())
      await guarded.dead()
      await guarded.stopped()
      await guarded.looks()
      expect(guarded.starts()).toHaveLength(1)
      expect(guarded.child.exitCode).toBeNull()
    })
  }

  it('whose line was not finished starts nothing', async ({ start }) => {
    const guarded = start()
    guarded.data('ready -')
    writeFileSync(`${guarded.dir}/permit`, `standby 1 - - ${bootId}`)
    await guarded.looks()
    expect(guarded.starts()).toEqual([])
    expect(guarded.beat()?.permitLine).toBe('?')
  })

  it('renewed in time keeps the same Meilisearch running', async ({ start }) => {
    const guarded = start()
    guarded.data('ready -')
    const first = guarded.primary(3, 150, 200)
    const pid = await guarded.running()
    while (systemBootClock.now() < first.killAt + 50) {
      guarded.primary(3, 150, 200)
      await guarded.looks()
    }
    expect(guarded.starts()).toEqual([pid])
    expect(guarded.runs()).toBe(true)
  })

  it('from standby to primary needs no restart; from primary to standby it does', async ({
    start,
  }) => {
    const guarded = start()
    guarded.data('ready -')
    guarded.role('standby', 4)
    const pid = await guarded.running()
    guarded.role('standby', 5)
    await guarded.looks()
    guarded.primary(5, 900, 1200)
    await guarded.looks()
    expect(guarded.starts()).toEqual([pid])
    guarded.role('standby', 5)
    await guarded.dead(pid)
    expect(await guarded.running()).not.toBe(pid)
  })

  it('of another epoch stops a primary before it starts it again', async ({ start }) => {
    const guarded = start()
    guarded.data('ready -')
    guarded.primary(4, 900, 1200)
    const pid = await guarded.running()
    guarded.primary(5, 900, 1200)
    await guarded.dead(pid)
    expect(await guarded.running()).not.toBe(pid)
    expect(guarded.starts()).toHaveLength(2)
  })

  it('of an epoch that is over starts nothing', async ({ start }) => {
    const guarded = start()
    guarded.data('ready -')
    guarded.primary(10, 900, 1200)
    await guarded.running()
    guarded.primary(9, 900, 1200)
    await guarded.dead()
    await guarded.looks()
    expect(guarded.starts()).toHaveLength(1)
    await until(() => guarded.stderr.includes("the permit's epoch is over"), 'it says why')
  })

  it('is not read where there is no lease: data alone decides', async ({ start }) => {
    const guarded = start({ env: { MEILI_HA_LEASE: 'none' } })
    guarded.role('stop')
    await guarded.looks()
    expect(guarded.starts()).toEqual([])
    guarded.data('ready -')
    await guarded.running()
    expect(guarded.beat()?.permitLine).toBe('-')
    guarded.data('closed abc')
    await guarded.dead()
    await guarded.stopped()
    guarded.data('ready 0000000000-0000000003')
    await guarded.running()
    guarded.child.kill('SIGTERM')
    expect(await guarded.ended).toBe(0)
    expect(guarded.runs()).toBe(false)
  })
})
