import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findMeilisearch } from './find-meilisearch.ts'

let proc: string
beforeEach(async () => {
  proc = await mkdtemp(join(tmpdir(), 'meili-ha-proc-'))
})
afterEach(() => rm(proc, { recursive: true }))

/** A process as /proc shows it. Its command line can't be read to the end: nobody writes to it. */
async function process(pid: string, comm: string, state = 'S'): Promise<void> {
  const dir = join(proc, pid)
  await mkdir(dir)
  await writeFile(join(dir, 'comm'), `${comm}\n`)
  const fields = Array.from({ length: 40 }, (_, index) => String(index + 4)).join(' ')
  await writeFile(join(dir, 'stat'), `${pid} (${comm}) ${state} ${fields}\n`)
  execFileSync('mkfifo', [join(dir, 'cmdline'), join(dir, 'environ')])
}

test('finds Meilisearch by its name, with the start time that tells it from a later one', async () => {
  await process('12', 'meilisearch')
  await process('13', 'meilitool')
  await writeFile(join(proc, 'uptime'), '1.00 1.00\n')
  expect(await findMeilisearch(proc)).toEqual([{ pid: 12, startedAt: '22' }])
})

test('a name with blanks and parentheses moves no field', async () => {
  await process('12', 'meilisearch')
  const fields = Array.from({ length: 40 }, (_, index) => String(index + 4)).join(' ')
  await writeFile(join(proc, '12', 'stat'), `12 (a) R 9) S ${fields}\n`)
  expect(await findMeilisearch(proc)).toEqual([{ pid: 12, startedAt: '22' }])
})

test('PID 1 is never one, nor is a zombie, nor one that is gone by now', async () => {
  await process('1', 'meilisearch')
  await process('14', 'meilisearch', 'Z')
  await mkdir(join(proc, '15'))
  expect(await findMeilisearch(proc)).toEqual([])
})
