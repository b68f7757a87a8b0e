/* oxlint-disable vitest/no-standalone-expect -- `it` is the one of the shell under test */
import { readdirSync, readFileSync } from 'node:fs'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { expect } from 'vitest'
import { isAlive, pause, until } from './guarded.ts'
import { canUnshare, underEachShell } from './shells.ts'

/** The pids of the zombies that `parent` has not reaped. */
function zombiesOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        return stat.slice(stat.lastIndexOf(')') + 2).startsWith(`Z ${parent} `)
      } catch {
        return false
      }
    })
}

underEachShell('a Meilisearch', (it) => {
  it('that dies is started again in under a second, in the same container', async ({ start }) => {
    const guarded = start()
    guarded.data('ready -')
    guarded.role('standby')
    const first = await guarded.running()
    const since = systemBootClock.now()
    process.kill(first, 'SIGKILL')
    await until(() => guarded.starts().length === 2, 'it is started again')
    expect(systemBootClock.now() - since).toBeLessThan(100)
    await until(() => guarded.beat()?.pid === guarded.starts()[1], 'the beat names the new pid')
    await until(() => guarded.stderr.includes('exited by itself, code 137'), 'it says so')
  })

  it('that dies again and again is started ever more slowly', async ({ start }) => {
    const guarded = start()
    guarded.data('ready -')
    guarded.role('standby')
    const times: number[] = []
    for (const n of [1, 2, 3]) {
      await until(() => guarded.starts().length === n, `start ${n}`)
      times.push(systemBootClock.now())
      process.kill(guarded.starts()[n - 1] as number, 'SIGKILL')
    }
    expect((times[1] as number) - (times[0] as number)).toBeLessThan(150)
    expect((times[2] as number) - (times[1] as number)).toBeGreaterThan(95)
  })

  it('that cannot start hands its message and its code to the container', async ({ start }) => {
    const guarded = start({ mode: ['refuses', 'bad-flag'] })
    guarded.data('ready -')
    guarded.role('standby')
    expect(await guarded.ended).toBe(2)
    expect(guarded.stderr).toContain("unexpected argument '--bad-flag'")
    expect(guarded.beat()?.state).toBe('stopped')
  })

  it('that is not there is code 127', async ({ start }) => {
    const guarded = start({ command: ['/nowhere/meilisearch'] })
    guarded.data('ready -')
    guarded.role('standby')
    expect(await guarded.ended).toBe(127)
  })

  it('that ran before and refuses to start now does not end the guard', async ({ start }) => {
    const guarded = start({ mode: ['first-runs-then-refuses'] })
    guarded.data('ready -')
    guarded.role('standby')
    await guarded.running()
    guarded.data('closed 1')
    await guarded.dead()
    await guarded.stopped()
    guarded.data('ready -')
    await until(() => guarded.starts().length >= 3, 'it is tried again')
    expect(guarded.child.exitCode).toBeNull()
  })

  it('that exits leaves no zombie', async ({ start }) => {
    const guarded = start()
    guarded.data('ready -')
    guarded.role('standby')
    process.kill(await guarded.running(), 'SIGKILL')
    await until(() => guarded.starts().length === 2, 'it is started again')
    expect(zombiesOf(guarded.child.pid as number)).toEqual([])
  })

  it.skipIf(!canUnshare)('dies with the guard in a PID namespace', async ({ start }) => {
    const wrap = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
    const guarded = start({ wrap })
    guarded.data('ready -')
    guarded.role('standby')
    await until(() => guarded.beat()?.state === 'running', 'Meilisearch runs')
    // Inside, the guard is PID 1; out here it is unshare's child.
    const children = `/proc/${guarded.child.pid}/task/${guarded.child.pid}/children`
    const guard = Number(readFileSync(children, 'utf8').trim())
    const meilisearch = Number(
      readFileSync(`/proc/${guard}/task/${guard}/children`, 'utf8').split(' ')[0],
    )
    expect(isAlive(meilisearch)).toBe(true)
    process.kill(guard, 'SIGKILL')
    await until(() => !isAlive(meilisearch), 'Meilisearch is dead', 1000)
  })

  it.skipIf(!canUnshare)(
    'is stopped and reaped by a guard that is PID 1, on SIGTERM',
    async ({ start }) => {
      const guarded = start({
        wrap: ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'],
        mode: ['orphans'],
      })
      guarded.data('ready -')
      guarded.role('standby')
      await until(() => guarded.beat()?.state === 'running', 'Meilisearch runs')
      await pause(800)
      guarded.data('closed 1')
      await until(
        () => guarded.beat()?.dataLine === 'closed 1' && guarded.beat()?.state === 'stopped',
        'stopped',
      )
      const children = `/proc/${guarded.child.pid}/task/${guarded.child.pid}/children`
      const guard = Number(readFileSync(children, 'utf8').trim())
      process.kill(guard, 'SIGTERM')
      expect(await guarded.ended).toBe(0)
    },
  )

  it.skipIf(!canUnshare)(
    'is not started where /proc is of another PID namespace',
    async ({ start }) => {
      const guarded = start({ wrap: ['unshare', '--pid', '--fork', '--kill-child'] })
      expect(await guarded.ended).toBe(1)
      expect(guarded.stderr).toContain('/proc is not of this PID namespace')
    },
  )

  it('gets its arguments as they were given', async ({ start }) => {
    const given = ['a b', '*', '', '$HOME', '08']
    const guarded = start({ mode: ['run', ...given] })
    guarded.data('ready -')
    guarded.role('standby')
    await guarded.running()
    expect(guarded.read('../arguments')).toBe(`run\n${given.join('\n')}\n`)
  })
})
