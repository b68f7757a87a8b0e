import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { HaWriter } from './ha-writer.ts'

let root: string
let ha: HaDir
let writer: HaWriter
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'meili-ha-test-'))
  ha = new HaDir(join(root, 'ha'))
  writer = new HaWriter(ha, pino({ level: 'silent' }))
})
afterEach(() => rm(root, { recursive: true }))

test('a word that could not be written is said again when it can', async () => {
  await writer.write('permit', 'stop 5 - - b00')
  await mkdir(ha.path)
  await writer.repair()
  expect(await ha.readLine('permit')).toBe('stop 5 - - b00')
})

test('after /ha was wiped all that was last said is there again, and nothing older', async () => {
  await mkdir(ha.path)
  await writer.write('want', 'follow 4')
  await writer.write('want', 'promote 5')
  await writer.write('permit', 'standby 4 - - b00')
  await rm(ha.path, { recursive: true })
  await mkdir(ha.path)
  await writer.repair()
  expect(await ha.readLine('want')).toBe('promote 5')
  expect(await ha.readLine('permit')).toBe('standby 4 - - b00')
})

test('what is there as it should be is not written anew', async () => {
  await mkdir(ha.path)
  await writer.write('permit', 'standby 4 - - b00')
  const { ino } = await stat(join(ha.path, 'permit'))
  await writer.repair()
  expect((await stat(join(ha.path, 'permit'))).ino).toBe(ino)
})

test('a repair never puts an older permit over a newer one', async () => {
  await mkdir(ha.path)
  for (let round = 0; round < 50; round++) {
    const primary = `primary ${round} 100 200 b00`
    await writer.write('permit', primary)
    await rm(join(ha.path, 'permit'))
    const stop = `stop ${round} - - b00`
    await Promise.all([writer.repair(), writer.write('permit', stop), writer.repair()])
    expect(await ha.readLine('permit')).toBe(stop)
  }
})
