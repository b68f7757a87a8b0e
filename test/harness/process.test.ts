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
  counting.freeze()
  const state = () => readFileSync(`/proc/${counting.pid}/stat`, 'utf8')
  await until('it is stopped', () => / T /.test(state()))
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
