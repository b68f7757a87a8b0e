/* oxlint-disable vitest/no-standalone-expect -- `it` is the one of the shell under test */
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { expect } from 'vitest'
import { Guarded, until } from './guarded.ts'
import { underEachShell } from './shells.ts'

async function primary(guarded: Guarded, term = 900, kill = 1200): Promise<number> {
  guarded.data('ready -')
  guarded.primary(2, term, kill)
  const pid = await guarded.running()
  await guarded.looks()
  return pid
}

/** SIGTERM to the guard, and the number that it asks the drain with. */
async function asksToDrain(guarded: Guarded): Promise<string> {
  guarded.child.kill('SIGTERM')
  await until(() => /^[0-9]+\n$/.test(guarded.read('drain')), 'it asks for a drain')
  return guarded.read('drain').trim()
}

underEachShell('SIGTERM to the guard', (it) => {
  it('of a primary asks for a drain, and Meilisearch runs until it is drained', async ({
    start,
  }) => {
    const guarded = start()
    await primary(guarded)
    const asked = await asksToDrain(guarded)
    expect(systemBootClock.now() - Number(asked)).toBeLessThan(100)
    await guarded.looks()
    expect(guarded.runs()).toBe(true)
    guarded.write('drained', asked)
    expect(await guarded.ended).toBe(0)
    expect(guarded.runs()).toBe(false)
    expect(guarded.beat()?.state).toBe('stopped')
  })

  it('stays to echo the stop of the drain, and starts nothing more', async ({ start }) => {
    const guarded = start()
    await primary(guarded)
    const asked = await asksToDrain(guarded)
    guarded.role('stop', 2)
    await guarded.dead()
    await until(
      () => guarded.beat()?.state === 'stopped' && guarded.beat()?.permit?.role === 'stop',
      'echo',
    )
    guarded.data('closed 9')
    await guarded.looks()
    expect(guarded.child.exitCode).toBeNull()
    guarded.data('ready -')
    guarded.primary(3, 900, 1200)
    await guarded.looks()
    expect(guarded.starts()).toHaveLength(1)
    guarded.write('drained', asked)
    expect(await guarded.ended).toBe(0)
  })

  it('does not take an older answer for its own, nor a second SIGTERM for haste', async ({
    start,
  }) => {
    const guarded = start()
    guarded.write('drained', '17')
    await primary(guarded)
    const asked = await asksToDrain(guarded)
    guarded.child.kill('SIGTERM')
    await guarded.looks()
    expect(guarded.runs()).toBe(true)
    expect(guarded.read('drain').trim()).toBe(asked)
    guarded.write('drained', asked)
    expect(await guarded.ended).toBe(0)
  })

  it('gives the drain up at its limit', async ({ start }) => {
    const guarded = start({ env: { MEILI_HA_DRAIN_LIMIT: '1' } })
    await primary(guarded)
    const asked = await asksToDrain(guarded)
    expect(await guarded.ended).toBe(0)
    const took = systemBootClock.now() - Number(asked)
    expect(took).toBeGreaterThanOrEqual(100)
    expect(took).toBeLessThan(300)
  })

  it('gives the drain up when the permit ends, on time', async ({ start }) => {
    const guarded = start({ mode: ['stubborn'] })
    guarded.data('ready -')
    const { killAt } = guarded.primary(2, 300, 400)
    await guarded.running()
    await asksToDrain(guarded)
    expect(await guarded.dead()).toBeLessThanOrEqual(killAt + 30)
    expect(await guarded.ended).toBe(0)
    expect(systemBootClock.now()).toBeLessThan(killAt + 300)
  })

  it('of a primary that has just crashed asks for a drain, and starts it no more', async ({
    start,
  }) => {
    const guarded = start()
    const pid = await primary(guarded)
    process.kill(pid, 'SIGKILL')
    const asked = await asksToDrain(guarded)
    await guarded.looks()
    expect(guarded.child.exitCode).toBeNull()
    guarded.write('drained', asked)
    expect(await guarded.ended).toBe(0)
    expect(guarded.starts()).toEqual([pid])
  })

  it('of a standby stops it at once, without a drain', async ({ start }) => {
    const guarded = start()
    guarded.data('ready -')
    guarded.role('standby')
    await guarded.running()
    guarded.child.kill('SIGTERM')
    expect(await guarded.ended).toBe(0)
    expect(guarded.runs()).toBe(false)
    expect(guarded.read('drain')).toBe('')
  })

  it('of a standby that ignores SIGTERM kills it 2 s later', async ({ start }) => {
    const guarded = start({ mode: ['stubborn'] })
    guarded.data('ready -')
    guarded.role('standby')
    await guarded.running()
    const since = systemBootClock.now()
    guarded.child.kill('SIGTERM')
    guarded.child.kill('SIGTERM')
    expect(await guarded.ended).toBe(0)
    expect(guarded.runs()).toBe(false)
    expect(systemBootClock.now() - since).toBeLessThan(350)
  })

  it('while it waits ends it at once', async ({ start }) => {
    const guarded = start()
    await guarded.looks()
    guarded.child.kill('SIGTERM')
    expect(await guarded.ended).toBe(0)
  })

  it('an old request to drain is taken back by the next start', async ({ start }) => {
    const first = start({ env: { MEILI_HA_DRAIN_LIMIT: '1' } })
    await primary(first)
    await asksToDrain(first)
    await first.ended
    expect(first.read('drain')).not.toBe('')
    const second = start({ env: { MEILI_HA_DIR: first.dir } })
    await until(() => first.read('drain') === '', 'it is taken back')
    second.child.kill('SIGTERM')
    await second.ended
  })
})
