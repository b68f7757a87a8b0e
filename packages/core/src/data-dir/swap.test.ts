import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inspectDataDirectory } from './inspect.ts'
import type { Lineage } from './lineage.ts'
import { dataPaths, divergedPath, type DataPaths } from './paths.ts'
import { finishSwap, removeNext, swapIn } from './swap.ts'
import { writeLineage } from './write-lineage.ts'

let paths: DataPaths
beforeEach(async () => {
  paths = dataPaths(await mkdtemp(join(tmpdir(), 'data-dir-')), {})
})
afterEach(() => rm(paths.parent, { recursive: true }))

const LINEAGE: Lineage = {
  ...{ format: 1, clusterId: 'c', snapshotId: null, tarball: null, primaryIn: [], claim: null },
  lastTaskUid: null,
}

async function database(path: string, files = ['VERSION', 'tasks/data.mdb', 'auth/data.mdb']) {
  await mkdir(path, { recursive: true })
  for (const file of files) {
    await mkdir(dirname(join(path, file)), { recursive: true })
    await writeFile(join(path, file), '1.50.0')
  }
}

describe('what lies at a data.ms', () => {
  test('nothing, or nothing but what a fresh volume brings', async () => {
    expect(await inspectDataDirectory(paths.live)).toEqual({ state: 'absent' })
    await mkdir(paths.live)
    expect(await inspectDataDirectory(paths.live)).toEqual({ state: 'empty', lostAndFound: false })
    await mkdir(join(paths.live, 'lost+found'))
    expect(await inspectDataDirectory(paths.live)).toEqual({ state: 'empty', lostAndFound: true })
  })

  test.each(['VERSION', 'tasks/data.mdb', 'auth/data.mdb'])('a part, without %s', async (file) => {
    await database(paths.live)
    await rm(join(paths.live, file))
    expect(await inspectDataDirectory(paths.live)).toMatchObject({
      state: 'partial',
      missing: [file],
    })
  })

  test('a part, when a crash tore its VERSION', async () => {
    await database(paths.live)
    await writeFile(join(paths.live, 'VERSION'), '1.5')
    expect(await inspectDataDirectory(paths.live)).toMatchObject({ state: 'partial' })
  })

  test('all of it, with the lineage it has', async () => {
    await database(paths.live)
    expect(await inspectDataDirectory(paths.live)).toEqual({ state: 'whole', version: '1.50.0' })
    await writeLineage(paths.live, LINEAGE)
    expect(await inspectDataDirectory(paths.live)).toMatchObject({ lineage: LINEAGE })
    await writeFile(join(paths.live, 'meili-ha.json'), '{"format":1')
    expect(await inspectDataDirectory(paths.live)).toMatchObject({ lineage: 'damaged' })
  })

  test('no directory: then nothing is guessed', async () => {
    await writeFile(paths.live, '')
    await expect(inspectDataDirectory(paths.live)).rejects.toMatchObject({
      code: 'MEILI_HA_DATA_DIR_UNKNOWN',
    })
  })
})

describe('a swap', () => {
  test('keeps the old directory under the name it is told', async () => {
    await database(paths.live)
    await database(paths.next)
    await writeLineage(paths.next, LINEAGE)
    const aside = divergedPath(paths, 3, '20261123T074929Z')
    await swapIn(paths, aside)
    expect((await readdir(paths.parent)).toSorted()).toEqual([
      'data.ms',
      'data.ms.diverged-3-20261123T074929Z',
    ])
    expect(await inspectDataDirectory(paths.live)).toMatchObject({ lineage: LINEAGE })
  })

  test('throws nothing away that may have taken writes since it was looked at', async () => {
    await database(paths.next)
    await writeLineage(paths.next, LINEAGE)
    const refused = { code: 'MEILI_HA_DATA_DIR_IN_USE' }
    await database(paths.live)
    await expect(swapIn(paths, paths.replaced)).rejects.toMatchObject(refused)
    await writeLineage(paths.live, { ...LINEAGE, primaryIn: [0] })
    await expect(swapIn(paths, paths.replaced)).rejects.toMatchObject(refused)
    expect((await readdir(paths.parent)).toSorted()).toEqual(['data.ms', 'data.ms.next'])
    await writeLineage(paths.live, LINEAGE)
    await swapIn(paths, paths.replaced)
    expect((await readdir(paths.parent)).toSorted()).toEqual(['data.ms', 'data.ms.replaced'])
  })

  test('that was cut short is finished only with a complete directory', async () => {
    expect(await finishSwap(paths)).toBe(false)
    await database(paths.next)
    expect(await finishSwap(paths)).toBe(false)
    await writeLineage(paths.next, LINEAGE)
    expect(await finishSwap(paths)).toBe(true)
    expect(await readdir(paths.parent)).toEqual(['data.ms'])
  })

  test('never replaces what is live', async () => {
    await database(paths.live)
    await database(paths.next)
    await writeLineage(paths.next, LINEAGE)
    expect(await finishSwap(paths)).toBe(false)
  })

  test('a next directory of which only a part was removed counts as incomplete', async () => {
    await database(paths.next)
    await writeLineage(paths.next, LINEAGE)
    await removeNext(paths)
    expect(await readdir(paths.parent)).toEqual([])
  })
})
