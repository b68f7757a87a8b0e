/* oxlint-disable vitest/no-standalone-expect -- `it` is the one of the shell under test */
import { execFile } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { parseUptime, systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { expect } from 'vitest'
import { bootId, until } from './guarded.ts'
import { canUnshare, underEachShell } from './shells.ts'

const run = promisify(execFile)

/** What this machine may be late by, in centiseconds; clock.test.ts shows the exact look. */
const BUSY = 30

underEachShell('stopping', (it) => {
  it('ends Meilisearch before term-at when the permit is not renewed', async ({ start }) => {
    const guarded = start()
    guarded.data('ready -')
    await guarded.looks()
    const { termAt } = guarded.primary(1, 200, 500)
    await guarded.running()
    const dead = await guarded.dead()
    expect(dead).toBeLessThanOrEqual(termAt + BUSY)
    expect(dead).toBeGreaterThan(termAt - 90)
  })

  it('kills a Meilisearch that ignores SIGTERM before kill-at', async ({ start }) => {
    const guarded = start({ mode: ['stubborn'] })
    guarded.data('ready -')
    await guarded.looks()
    const { killAt } = guarded.primary(1, 150, 250)
    await guarded.running()
    const dead = await guarded.dead()
    expect(dead).toBeLessThanOrEqual(killAt + BUSY)
    expect(dead).toBeGreaterThan(killAt - 90)
  })

  for (const [what, line] of [
    ['stop', `stop 1 - - ${bootId}`],
    ['closed data', 'closed 0'],
    ['missing data', null],
  ] as const) {
    it(`upon ${what} kills a Meilisearch that ignores SIGTERM 2 s later`, async ({ start }) => {
      const guarded = start({ mode: ['stubborn'] })
      guarded.data('ready -')
      await guarded.looks()
      guarded.role('standby')
      await guarded.running()
      const since = systemBootClock.now()
      guarded.write(what === 'stop' ? 'permit' : 'data', line)
      const dead = await guarded.dead()
      expect(dead - since).toBeGreaterThan(180)
      expect(dead - since).toBeLessThan(320)
    })
  }

  it('upon stop keeps to the kill-at of the permit that was in force', async ({ start }) => {
    const guarded = start({ mode: ['stubborn'] })
    guarded.data('ready -')
    await guarded.looks()
    const { killAt } = guarded.primary(1, 200, 220)
    await guarded.running()
    guarded.role('stop')
    expect(await guarded.dead()).toBeLessThanOrEqual(killAt + BUSY)
  })

  it('a renewal that comes after SIGTERM does not put SIGKILL off', async ({ start }) => {
    const guarded = start({ mode: ['stubborn'] })
    guarded.data('ready -')
    await guarded.looks()
    const { killAt } = guarded.primary(1, 150, 250)
    const pid = await guarded.running()
    await until(() => systemBootClock.now() >= killAt - 90, 'SIGTERM was sent')
    guarded.primary(1, 900, 1200)
    expect(await guarded.dead(pid)).toBeLessThanOrEqual(killAt + BUSY)
    expect(await guarded.running()).not.toBe(pid)
  })

  it('an already open connection is dead by kill-at', async ({ start }) => {
    const guarded = start({ mode: ['serve'] })
    guarded.data('ready -')
    await guarded.looks()
    const { killAt } = guarded.primary(1, 200, 300)
    await until(() => guarded.read('../port') !== '', 'it listens')
    let last = 0
    let closed = false
    const socket = connect(Number(guarded.read('../port')), '127.0.0.1')
    // What it says is the boot clock as it writes; chunks may arrive late, and joined.
    socket.on(
      'data',
      (text) => (last = parseUptime(text.toString('utf8').trimEnd().split('\n').at(-1) as string)),
    )
    socket.on('error', () => {})
    socket.on('close', () => (closed = true))
    await until(() => last > 0, 'it answers')
    await until(() => closed, 'the connection is cut')
    expect(last).toBeLessThanOrEqual(killAt + BUSY)
  })

  it('says closed only once Meilisearch is dead, in a beat later than the change', async ({
    start,
  }) => {
    const guarded = start({ mode: ['stubborn'] })
    guarded.data('ready -')
    await guarded.looks()
    guarded.role('standby')
    await guarded.running()
    guarded.data('closed abc-1')
    await until(() => {
      const beat = guarded.beat()
      if (beat?.state === 'stopped' && guarded.runs()) throw new Error('stopped, but it runs')
      return beat?.state === 'stopped' && beat.dataLine === 'closed abc-1'
    }, 'the echo')
  })

  it.skipIf(!canUnshare)(
    'needs no fork: kill-at is kept where none succeeds',
    async ({ start }) => {
      // The limit of processes binds only those who aren't root.
      const nobody = ['--reuid=61234', '--regid=61234', '--clear-groups']
      const chown = 'chown -R 61234 "$FAKE_DIR" && exec "$@"'
      const wrap = ['sh', '-c', chown, 'sh', 'setpriv', ...nobody]
      const guarded = start({ mode: ['stubborn'], wrap })
      guarded.data('ready -')
      await guarded.looks()
      const { killAt } = guarded.primary(1, 150, 250)
      await guarded.running()
      await run('setpriv', [
        ...nobody,
        ...['prlimit', '--pid', `${guarded.child.pid}`, '--nproc=1:1'],
      ])
      expect(await guarded.dead()).toBeLessThanOrEqual(killAt + BUSY)
    },
  )

  it('does not wait for anyone to read its log', async ({ start }) => {
    const pipe = `${mkdtempSync(join(tmpdir(), 'guard-log-'))}/full`
    await run('mkfifo', [pipe])
    const filling = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
    const log = openSync(pipe, constants.O_WRONLY)
    const guarded = start({ mode: ['stubborn'], stderr: log })
    closeSync(log)
    guarded.data('ready -')
    await guarded.looks()
    const { killAt } = guarded.primary(1, 180, 280)
    await guarded.running()
    expect(() => {
      for (;;) writeSync(filling, Buffer.alloc(1024, 'x'))
    }).toThrow('EAGAIN')
    expect(await guarded.dead()).toBeLessThanOrEqual(killAt + BUSY)
    closeSync(filling)
    rmSync(dirname(pipe), { recursive: true })
  })

  it('signals only its own child, even where its pid is taken by another', async ({ start }) => {
    const guarded = start()
    guarded.data('ready -')
    await guarded.looks()
    guarded.role('standby')
    const pid = await guarded.running()
    process.kill(pid, 'SIGKILL')
    guarded.role('stop')
    await guarded.stopped()
    await guarded.looks()
    expect(guarded.starts()).toEqual([pid])
    expect(guarded.child.exitCode).toBeNull()
  })
})
