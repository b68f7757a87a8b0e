import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startProcess } from '../harness/process.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { startWatch } from './watch.ts'

const BOOT = 'b00'
const permit = (epoch: number, killAt: number) =>
  `primary ${epoch} ${killAt - 100} ${killAt} ${BOOT}`

/** Two members whose files and clock the test writes; what runs are real processes. */
async function scene() {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await tempDir())
  const clock = { now: 1000 }
  const meilisearch = stack.use(startProcess({ command: ['sleep', '600'] }))
  const members = ['m1', 'm2'].map((name) => ({ name, ha: { path: join(path, name) } }))
  for (const { ha } of members) await mkdir(ha.path)
  const watching = stack.use(startWatch(members, () => clock.now))
  const write = (member: string, file: string, line: string) =>
    writeFile(join(path, member, file), `${line}\n`)
  const beat = (member: string, state: string, echo: string) =>
    write(member, 'guard', `${state} ${clock.now} | ${echo} | ready 1`)
  const owned = stack.move()
  return {
    clock,
    meilisearch,
    watching,
    write,
    beat,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

describe('the watch', () => {
  test('finds nothing in a succession of permits', async () => {
    await using at = await scene()
    await at.write('m1', 'permit', permit(1, 1200))
    await at.beat('m1', `running ${at.meilisearch.pid}`, permit(1, 1200))
    at.watching.look()
    // Before the kill: the watch looks by itself too, and dates what it sees.
    at.clock.now = 1200
    await at.meilisearch.kill()
    await at.write('m2', 'permit', permit(2, 1900))
    at.watching.look()
    expect(at.watching.violations).toEqual([])
    expect(at.watching.terms).toMatchObject([{ member: 'm1', epoch: 1, from: 1000, until: 1200 }])
  })

  test('finds two permits in force at once, though nothing runs', async () => {
    await using at = await scene()
    await at.write('m1', 'permit', permit(1, 1200))
    await at.write('m2', 'permit', permit(2, 1900))
    at.watching.look()
    expect(at.watching.violations).toContain('m1 leads 1 while m2 leads 2')
  })

  test('finds a Meilisearch that runs beyond its permit', async () => {
    await using at = await scene()
    await at.beat('m1', `running ${at.meilisearch.pid}`, permit(1, 1200))
    at.watching.look()
    at.clock.now = 1226
    at.watching.look()
    expect(at.watching.violations[0]).toMatch(/runs 26 cs beyond its permit/)
  })

  test('believes no guard that says stopped while the process lives', async () => {
    await using at = await scene()
    await at.beat('m1', `running ${at.meilisearch.pid}`, permit(1, 1200))
    at.watching.look()
    await at.beat('m1', 'stopped -', `stop 1 - - ${BOOT}`)
    await at.write('m2', 'permit', permit(2, 1900))
    at.watching.look()
    expect(at.watching.violations).toContain('m1 leads 1 while m2 leads 2')
  })
})
