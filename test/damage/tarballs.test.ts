import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tarball, type FixtureEntry } from '@meili-ha/core/archive/tarball.fixture.ts'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { FIXTURES } from '../uploader/programs.ts'
import { storeScene } from './store-scene.ts'

const CATALOGUE = await readFile(join(FIXTURES, 'catalogue.snapshot'))

function flipped(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))
  return copy
}

const anyBit = fc.integer({ min: 0, max: CATALOGUE.length * 8 - 1 })

/** The flags, the time, the extra flags and the OS of the gzip header: they change no content. */
const isIdle = (bit: number) => bit >> 3 >= 4 && bit >> 3 < 10

test('no truncated or flipped file is ever published', async () => {
  await using scene = await storeScene()
  const path = scene.at('bad.snapshot')
  const refuse = async (bytes: Buffer) => {
    await writeFile(path, bytes)
    const { code, stderr } = await scene.publish(path)
    expect(code).toBe(1)
    expect(stderr).toMatch(/MEILI_HA_SNAPSHOT_(DAMAGED|FOREIGN)/)
  }
  for (let cut = 0; cut < CATALOGUE.length; cut += 65_536) await refuse(CATALOGUE.subarray(0, cut))
  await refuse(CATALOGUE.subarray(0, -1))
  await fc.assert(
    fc.asyncProperty(
      anyBit.filter((bit) => !isIdle(bit)),
      (bit) => refuse(flipped(CATALOGUE, bit)),
    ),
    { numRuns: 15 },
  )
  expect(await scene.store.list('')).toEqual([])
})

test('no tarball that was cut, filled up or flipped in the store passes for good', async () => {
  await using scene = await storeScene()
  await scene.publish(join(FIXTURES, 'catalogue.snapshot'))
  const [manifest] = (await scene.manifests()) as [Manifest]
  const path = scene.tarballPath(manifest)
  const isBad = async (bytes: Buffer) => {
    await writeFile(path, bytes)
    const { code, stdout } = await scene.run('verify', manifest.id)
    expect(code).toBe(1)
    expect(stdout).toContain('BAD')
  }
  for (let cut = 0; cut < CATALOGUE.length; cut += 65_536) {
    await isBad(CATALOGUE.subarray(0, cut))
    await isBad(Buffer.concat([CATALOGUE.subarray(0, cut), Buffer.alloc(CATALOGUE.length - cut)]))
  }
  await fc.assert(
    fc.asyncProperty(anyBit, (bit) => isBad(flipped(CATALOGUE, bit))),
    { numRuns: 15 },
  )
  await writeFile(path, CATALOGUE)
  expect((await scene.run('verify', manifest.id)).code).toBe(0)
})

test.each<[string, FixtureEntry[]]>([
  ['a name outside', [{ name: '../evil', content: 'x' }]],
  ['an absolute name', [{ name: '/evil', content: 'x' }]],
  ['a link', [{ name: 'indexes', type: '2' }]],
  ['a device', [{ name: 'null', type: '3' }]],
  ['a name twice', [{ name: 'VERSION', content: '1.50.0' }]],
  ['a file as a directory', [{ name: 'VERSION/x', content: 'x' }]],
  ["meili-ha's own file", [{ name: 'meili-ha.json', content: '{}' }]],
])('a tarball with %s is refused before anything is published', async (_, entries) => {
  await using scene = await storeScene()
  await writeFile(scene.at('unsafe.snapshot'), tarball(entries))
  const { code, stderr } = await scene.publish(scene.at('unsafe.snapshot'))
  expect(code, stderr).toBe(20)
  expect(stderr).toContain('MEILI_HA_SNAPSHOT_UNSAFE')
  expect(await scene.store.list('')).toEqual([])
})
