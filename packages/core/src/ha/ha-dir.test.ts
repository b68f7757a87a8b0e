import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import * as z from 'zod'
import { HaDir } from './ha-dir.ts'

let ha: HaDir

beforeEach(async () => {
  ha = new HaDir(await mkdtemp(join(tmpdir(), 'ha-')))
})
afterEach(() => rm(ha.path, { recursive: true, force: true }))

it('reads the line it wrote, and nothing where nothing is', async () => {
  expect(await ha.readLine('permit')).toBeUndefined()
  await ha.writeLine('permit', 'stop 1 - - abc')
  expect(await ha.readLine('permit')).toBe('stop 1 - - abc')
  await ha.remove('permit')
  await ha.remove('permit')
  expect(await ha.readLine('permit')).toBeUndefined()
})

it('reads a line that is half written again, and takes half of one for none', async () => {
  const path = join(ha.path, 'guard')
  await writeFile(path, 'stopped - 1')
  const reading = ha.readLine('guard')
  await writeFile(path, 'stopped - 12 | - | -\n')
  expect(await reading).toBe('stopped - 12 | - | -')
  await writeFile(path, 'stopped - 1')
  expect(await ha.readLine('guard')).toBeUndefined()
  await writeFile(path, '')
  expect(await ha.readLine('guard')).toBeUndefined()
})

it('shows a reader the old line or the new one, never half', async () => {
  const lines = ['a'.repeat(9000), 'b'.repeat(9000)]
  await ha.writeLine('want', lines[0] as string)
  const writing = (async () => {
    for (let n = 0; n < 100; n++) await ha.writeLine('want', lines[n % 2] as string)
  })()
  for (let n = 0; n < 200; n++) expect(lines).toContain(await ha.readLine('want'))
  await writing
})

it('reads a document that fits, and takes one that does not for none', async () => {
  const schema = z.object({ ready: z.boolean() })
  expect(await ha.readJson('sync.json', schema)).toBeUndefined()
  await ha.writeJson('sync.json', { ready: true })
  expect(await ha.readJson('sync.json', schema)).toEqual({ ready: true })
  for (const text of ['', '{"ready":', '{"ready":1}', '[]', 'null']) {
    await writeFile(join(ha.path, 'sync.json'), text)
    expect(await ha.readJson('sync.json', schema)).toBeUndefined()
  }
})

it('reads a document of the same text once, and any other anew', async () => {
  const schema = z.object({ ready: z.boolean() })
  await ha.writeJson('sync.json', { ready: true })
  const first = await ha.readJson('sync.json', schema)
  await ha.writeJson('sync.json', { ready: true })
  expect(await ha.readJson('sync.json', schema)).toBe(first)
  expect(await ha.readJson('sync.json', z.object({ ready: z.literal(false) }))).toBeUndefined()
  await ha.writeJson('sync.json', { ready: false })
  expect(await ha.readJson('sync.json', schema)).toEqual({ ready: false })
  await ha.remove('sync.json')
  expect(await ha.readJson('sync.json', schema)).toBeUndefined()
})

it('leaves nothing behind, not even when it fails', async () => {
  await ha.writeLine('data', 'ready -')
  expect(await readdir(ha.path)).toEqual(['data'])
  await mkdir(join(ha.path, 'want'))
  await expect(ha.writeLine('want', 'follow 1')).rejects.toThrow('EISDIR')
  expect((await readdir(ha.path)).toSorted()).toEqual(['data', 'want'])
})
