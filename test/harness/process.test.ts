import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startProcess } from './process.ts'
import { until } from './until.ts'

const sh = (script: string) => startProcess({ command: ['sh', '-c', script] })

/** Neither gone nor a zombie that its parent hasn't looked at yet. */
function lives(pid: number): boolean {
  const path = `/proc/${pid}/stat`
  return existsSync(path) && !/\) Z /.test(readFileSync(path, 'utf8'))
}

test('what a program started goes with it at the end of the scope', async () => {
  let grandchild = 0
  {
    await using parent = sh('sleep 600 & echo child $!; wait')
    grandchild = Number((await parent.waitFor(/child (\d+)/))[1])
    expect(lives(grandchild)).toBe(true)
  }
  await until('the grandchild is gone', () => !lives(grandchild))
})

test('the exit of a program is seen although its child still holds the pipe', async () => {
  await using parent = sh('sleep 600 & echo ready; wait')
  await parent.waitFor(/ready/)
  expect(await parent.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
  expect(parent.running()).toBe(false)
})

test('waiting for output that never comes fails at the exit, with the output', async () => {
  await using ended = sh('echo something else; exit 3')
  await expect(ended.waitFor(/never/)).rejects.toThrow(/"code":3.*\nsomething else/)
  expect(await ended.exited).toEqual({ code: 3, signal: null })
})

test('a frozen program stands still and goes on when thawed', async () => {
  await using counting = sh('i=0; while sleep 0.01; do i=$((i+1)); echo $i; done')
  await counting.waitFor(/^3$/m)
  await counting.freeze()
  const state = () => readFileSync(`/proc/${counting.pid}/stat`, 'utf8')
  expect(state()).toMatch(/ T /)
  counting.thaw()
  await until('it runs', () => !/ T /.test(state()))
})

test('a program does not inherit settings of the machine', async () => {
  process.env['MEILI_DB_PATH'] = '/nowhere'
  try {
    await using printing = startProcess({ command: ['env'], env: { MEILI_ENV: 'mine' } })
    await printing.exited
    expect(printing.stdout()).toContain('MEILI_ENV=mine')
    expect(printing.stdout()).not.toContain('MEILI_DB_PATH')
  } finally {
    delete process.env['MEILI_DB_PATH']
  }
})

test('nothing outlives a worker that is terminated in the middle of a test', async () => {
  const harness = new URL('process.ts', import.meta.url).pathname
  const script = `
    import { startProcess } from ${JSON.stringify(harness)}
    const guard = startProcess({ command: ['sh', '-c', 'sleep 600 & echo child $!'] })
    console.log((await guard.waitFor(/child \\d+/))[0])
    await guard.kill()
    setInterval(() => {}, 1000)`
  const command = [process.execPath, '--input-type=module-typescript', '-e', script]
  await using worker = startProcess({ command })
  const orphan = Number((await worker.waitFor(/child (\d+)/))[1])
  expect(lives(orphan)).toBe(true)
  expect(await worker.kill('SIGTERM')).toEqual({ code: null, signal: 'SIGTERM' })
  await until('the orphan is gone', () => !lives(orphan))
})
