/* oxlint-disable vitest/no-standalone-expect -- `it` is the one of the shell under test */
import { closeSync, openSync, writeSync } from 'node:fs'
import { expect } from 'vitest'
import { bootId, type Guarded, pause, until } from './guarded.ts'
import { canUnshare, underEachShell } from './shells.ts'

const bind =
  'echo "0500.00 9.00" >"$FAKE_DIR/uptime" && mount --bind "$FAKE_DIR/uptime" /proc/uptime'

/** Gives the guard a /proc/uptime that only it sees: it stands still until the test sets it. */
const ownClock = ['unshare', '--mount', 'sh', '-c', `${bind} && exec "$@"`, 'sh']

/** In one write of one width, so that the guard never reads half of it. */
function set(guarded: Guarded, uptime: string): void {
  const file = openSync(`${guarded.home}/uptime`, 'r+')
  writeSync(file, `${uptime} 9.00\n`, 0)
  closeSync(file)
}

/** A primary permit on that clock. */
function primary(guarded: Guarded, termAt: number, killAt: number, epoch = 1): void {
  guarded.permit(`primary ${epoch} ${termAt} ${killAt} ${bootId}`)
}

/** The guard looked at its clock when it showed `now`. */
async function sees(guarded: Guarded, now: number): Promise<void> {
  await until(() => guarded.beat()?.now === now, `the guard sees ${now}`)
}

underEachShell('the clock', (it) => {
  if (!canUnshare) return it.skip('needs unshare(1)')

  it('terminates at the last look before term-at, kills at the last before kill-at', async ({
    start,
  }) => {
    const guarded = start({ mode: ['stubborn'], wrap: ownClock })
    guarded.data('ready -')
    primary(guarded, 51_000, 51_150)
    const pid = await guarded.running()
    set(guarded, '0509.49')
    await sees(guarded, 50_949)
    await pause(300)
    primary(guarded, 51_000, 51_150)
    set(guarded, '0509.50')
    await sees(guarded, 50_950)
    set(guarded, '0510.99')
    await sees(guarded, 51_099)
    await pause(300)
    expect(guarded.starts()).toEqual([pid])
    expect(guarded.runs()).toBe(true)
    set(guarded, '0511.00')
    await guarded.dead()
    await guarded.stopped()
    expect(guarded.stderr).toContain('the permit has ended')
  })

  it('gives 2 s from SIGTERM to SIGKILL, where the last renewal leaves as much', async ({
    start,
  }) => {
    const guarded = start({ mode: ['stubborn'], wrap: ownClock })
    guarded.data('ready -')
    primary(guarded, 51_000, 51_150)
    await guarded.running()
    primary(guarded, 52_000, 52_300)
    await until(() => guarded.beat()?.permitLine.includes('52300') ?? false, 'it is renewed')
    set(guarded, '0519.50')
    await sees(guarded, 51_950)
    set(guarded, '0521.49')
    await sees(guarded, 52_149)
    await pause(300)
    expect(guarded.runs()).toBe(true)
    set(guarded, '0521.50')
    await guarded.dead()
  })

  it('that goes back ends a primary, and its permit with it', async ({ start }) => {
    const guarded = start({ mode: ['stubborn'], wrap: ownClock })
    guarded.data('ready -')
    primary(guarded, 51_000, 51_300)
    const pid = await guarded.running()
    set(guarded, '0499.99')
    await guarded.dead()
    await guarded.stopped()
    await pause(600)
    expect(guarded.starts()).toEqual([pid])
    primary(guarded, 51_001, 51_301)
    expect(await guarded.running()).not.toBe(pid)
  })

  it('that goes back while it stops kills at once', async ({ start }) => {
    const guarded = start({ mode: ['stubborn'], wrap: ownClock })
    guarded.data('ready -')
    guarded.role('standby')
    await guarded.running()
    guarded.role('stop')
    await until(() => guarded.beat()?.permit?.role === 'stop', 'it stops')
    await pause(300)
    expect(guarded.runs()).toBe(true)
    set(guarded, '0499.99')
    await guarded.dead()
  })

  it('that is illegible ends everything, and starts nothing', async ({ start }) => {
    const guarded = start({ mode: ['stubborn'], wrap: ownClock })
    guarded.data('ready -')
    guarded.role('standby')
    await guarded.running()
    set(guarded, 'unknown')
    await guarded.dead()
    await guarded.stopped()
    await pause(600)
    expect(guarded.starts()).toHaveLength(1)
    set(guarded, '0501.00')
    await guarded.running()
  })

  for (const [uptime, now] of [
    ['0000.00', 0],
    ['0000.08', 8],
    ['0000.80', 80],
    ['0008.09', 809],
    ['0010.00', 1000],
  ] as const) {
    it(`of ${uptime} is ${now} centiseconds, not an octal number`, async ({ start }) => {
      const short = `echo "${uptime.replace(/^0{1,3}/, '')} 9.00" >"$FAKE_DIR/uptime"`
      const mount = 'mount --bind "$FAKE_DIR/uptime" /proc/uptime && exec "$@"'
      const guarded = start({
        wrap: ['unshare', '--mount', 'sh', '-c', `${short} && ${mount}`, 'sh'],
      })
      guarded.data('ready -')
      primary(guarded, now + 500, now + 900)
      await guarded.running()
      expect(guarded.beat()?.now).toBe(now)
    })
  }

  it('is compared with the longest permit of MEILI_HA_MAX_PERMIT', async ({ start }) => {
    const guarded = start({ wrap: ownClock, env: { MEILI_HA_MAX_PERMIT: '10' } })
    guarded.data('ready -')
    primary(guarded, 50_900, 51_001)
    await until(() => guarded.stderr.includes('longer than MEILI_HA_MAX_PERMIT'), 'it is refused')
    expect(guarded.starts()).toEqual([])
    primary(guarded, 50_900, 51_000)
    await guarded.running()
  })
})
