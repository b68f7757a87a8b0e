/* oxlint-disable vitest/no-standalone-expect -- `it` is the one of the shell under test */
import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { expect } from 'vitest'
import { bootId, type Guarded, pause, script, until } from './guarded.ts'
import { canUnshare, underEachShell } from './shells.ts'

/** Runs the guard with a 64 KiB file system on its /ha, which only it can see. */
const ownTmpfs = [
  ...['unshare', '--mount', 'sh', '-c'],
  'mount -t tmpfs -o size=64k none "$MEILI_HA_DIR" && exec "$@"',
  'sh',
]

const run = promisify(execFile)

/** Runs a command where the guard's own mounts are; never blocks, since others time their guards. */
async function inside(guarded: Guarded, command: string): Promise<void> {
  const target = ['--target', `${guarded.child.pid}`, '--mount']
  await run('nsenter', [...target, 'sh', '-c', command], {
    env: { ...process.env, ...guarded.env },
  })
}

/** What `guard.sh --beat` answers. */
async function probe(guarded: Guarded): Promise<{ code: number; stderr: string }> {
  const [file, ...args] = guarded.shell.argv
  const env = { ...process.env, ...guarded.env }
  return run(file, [...args, script, '--beat'], { env }).then(
    ({ stderr }) => ({ code: 0, stderr }),
    (error: { code: number; stderr: string }) => ({ code: error.code, stderr: error.stderr }),
  )
}

const permit = (role: string) =>
  `echo "${role} 1 - - $(cat /proc/sys/kernel/random/boot_id)" >$MEILI_HA_DIR/permit`
const fill = 'cat /dev/zero >$MEILI_HA_DIR/zeros 2>/dev/null || :'

underEachShell('/ha', (it) => {
  const found = { permit: `standby 1 - - ${bootId}`, data: 'ready 0000000001-0000000002' }

  it('of another Meilisearch opens no directory: it was judged for that one', async ({ start }) => {
    const guarded = start({ found: { ...found, engine: 'meilisearch 1.49.0' } })
    await guarded.looks()
    expect(guarded.starts()).toEqual([])
    expect(guarded.read('engine')).toBe('meilisearch 1.50.0\n')
    guarded.data(found.data)
    await guarded.running()
  })

  it('stays open where the version can not be told', async ({ start }) => {
    const env = { FAKE_VERSION: 'none' }
    const guarded = start({ found: { ...found, engine: 'meilisearch 1.49.0' }, env })
    await guarded.running()
  })

  for (const engine of ['meilisearch 1.50.0', undefined]) {
    it(`goes on where it was with the engine ${engine}`, async ({ start }) => {
      const guarded = start({ found: { ...found, ...(engine && { engine }) } })
      await guarded.running()
      expect(guarded.read('data')).toBe(`${found.data}\n`)
    })
  }

  it.skipIf(!canUnshare)(
    'that is full lets nothing start, until there is room',
    async ({ start }) => {
      const guarded = start({ wrap: ownTmpfs })
      await until(() => guarded.stderr.includes('waiting'), 'the guard waits')
      await inside(
        guarded,
        `cd $MEILI_HA_DIR; ${permit('standby')}; echo "ready -" >new; : >guard; ${fill}; mv new data`,
      )
      await pause(800)
      expect(guarded.starts()).toEqual([])
      await inside(guarded, 'rm $MEILI_HA_DIR/zeros')
      await until(() => guarded.starts().length === 1, 'it starts')
    },
  )

  it.skipIf(!canUnshare)(
    'that is full or read-only does not keep Meilisearch from its end',
    async ({ start }) => {
      for (const spoil of [fill, 'mount -o remount,bind,ro $MEILI_HA_DIR']) {
        const guarded = start({ mode: ['stubborn'], wrap: ownTmpfs })
        await until(() => guarded.stderr.includes('waiting'), 'the guard waits')
        const now = systemBootClock.now()
        const [termAt, killAt] = [now + 250, now + 350]
        await inside(
          guarded,
          `${permit('standby')}; sed -i "s/.*- - /primary 1 ${termAt} ${killAt} /" $MEILI_HA_DIR/permit; echo "ready -" >$MEILI_HA_DIR/data`,
        )
        await until(() => guarded.runs(), 'it runs')
        await inside(guarded, spoil)
        expect(await guarded.dead()).toBeLessThanOrEqual(killAt + 30)
      }
    },
  )

  it.skipIf(!canUnshare)(
    'that is read-only from the start ends the guard, with the reason',
    async ({ start }) => {
      const wrap = [
        ...ownTmpfs.slice(0, 4),
        'mount -t tmpfs -o ro none "$MEILI_HA_DIR" && exec "$@"',
        'sh',
      ]
      const guarded = start({ wrap })
      expect(await guarded.ended).toBe(1)
      expect(guarded.stderr).toContain("can't write to")
    },
  )

  it('that is not there ends the guard, with the reason', async ({ start }) => {
    const guarded = start({ env: { MEILI_HA_DIR: '/nowhere' } })
    expect(await guarded.ended).toBe(1)
    expect(guarded.stderr).toContain("can't write to /nowhere")
  })

  it('holds data that is malformed: nothing starts', async ({ start }) => {
    const guarded = start()
    guarded.role('standby')
    for (const line of ['', 'ready', 'ready x y', 'ready ../x', 'open -', 'closed', ' ready -x*']) {
      guarded.data(line)
      await guarded.looks()
      expect(guarded.beat()).toMatchObject({ state: 'stopped', dataLine: '?' })
    }
    guarded.data(null)
    await guarded.looks()
    expect(guarded.beat()?.dataLine).toBe('-')
    expect(guarded.starts()).toEqual([])
  })

  it('the probe passes while the guard beats, waiting too, and says why when it does not', async ({
    start,
  }) => {
    const guarded = start()
    await guarded.looks()
    expect((await probe(guarded)).code).toBe(0)
    guarded.child.kill('SIGKILL')
    await guarded.ended
    const at = systemBootClock.now() - 600
    writeFileSync(`${guarded.dir}/guard`, `stopped - ${at} | - | -\n`)
    expect(await probe(guarded)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('frozen or gone'),
    })
    writeFileSync(`${guarded.dir}/guard`, `stopped - ${at + 99_999} | - | -\n`)
    expect((await probe(guarded)).code).toBe(1)
    for (const torn of ['', 'stopped - 08', 'garbage\n', `running 1 ${at + 600}`]) {
      writeFileSync(`${guarded.dir}/guard`, torn)
      expect(await probe(guarded)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('no beat'),
      })
    }
    rmSync(`${guarded.dir}/guard`)
    expect((await probe(guarded)).code).toBe(1)
  })

  it('settings that are not whole seconds are refused', async ({ start }) => {
    for (const name of ['MEILI_HA_MAX_PERMIT', 'MEILI_HA_DRAIN_LIMIT']) {
      expect(await start({ env: { [name]: '5m' } }).ended).toBe(2)
    }
  })

  it('the probe reads a beat of the same second with cents below ten', async ({ start }) => {
    const guarded = start()
    for (let n = 0; n < 3; n++) {
      await until(() => systemBootClock.now() % 100 < 10, 'cents below ten')
      expect((await probe(guarded)).code === 0 || n === 0).toBe(true)
      await guarded.looks()
    }
  })
})
