import { execFileSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inPieces, SMALLEST, tar, tarball, type FixtureEntry } from './tarball.fixture.ts'
import { unpackSnapshot, type UnpackOptions } from './unpack-snapshot.ts'

const FIXTURES = join(import.meta.dirname, '../../../../test/fixtures')

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'unpack-'))
})
afterEach(() => rm(root, { recursive: true }))

const unpack = (more: FixtureEntry[] = [], options?: UnpackOptions) =>
  unpackSnapshot(inPieces(tarball(more)), join(root, 'new'), options)

/** Every name below a directory, with type, mode, size and content. */
async function treeOf(directory: string) {
  const names = ['.', ...(await readdir(directory, { recursive: true }))].toSorted()
  return Promise.all(
    names.map(async (name) => {
      const path = join(directory, name)
      const stats = await lstat(path)
      const content = stats.isFile() ? (await readFile(path)).toString('base64') : 'directory'
      return { name, mode: (stats.mode & 0o7777).toString(8), content }
    }),
  )
}

describe('a snapshot is unpacked', () => {
  test.each(['empty', 'catalogue', 'backlog', 'v1.37'])(
    '%s: every name, byte and mode as the system tar does it',
    async (name) => {
      const file = join(FIXTURES, `${name}.snapshot`)
      await mkdir(join(root, 'theirs'))
      execFileSync('tar', ['-C', join(root, 'theirs'), '-xpzf', file])
      const report = await unpackSnapshot(createReadStream(file), join(root, 'ours'))
      const tree = await treeOf(join(root, 'ours'))
      expect(tree).toEqual(await treeOf(join(root, 'theirs')))
      expect(report.entries).toBe(tree.length - 1)
    },
  )

  test('many small files, each whole', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `f${i}`)
    await unpack(names.map((name) => ({ name, content: name.repeat(100) })))
    for (const name of names) {
      expect(await readFile(join(root, 'new', name), 'utf8')).toBe(name.repeat(100))
    }
  })

  test('with modes that let the owner work and nobody else write', async () => {
    await unpack([
      { name: 'open', mode: 0o6777 },
      { name: 'closed', mode: 0 },
      { name: 'dir', type: '5', mode: 0o7777 },
      { name: 'shut', type: '5', mode: 0 },
      { name: 'shut/x', content: 'x' },
    ])
    const modes = Object.fromEntries(
      (await treeOf(join(root, 'new'))).map(({ name, mode }) => [name, mode]),
    )
    expect(modes).toMatchObject({ open: '644', closed: '600', dir: '755', shut: '700' })
  })
})

describe('nothing is unpacked', () => {
  test('over what is already there', async () => {
    await mkdir(join(root, 'new'))
    await writeFile(join(root, 'new', 'VERSION'), 'precious')
    await expect(unpack()).rejects.toMatchObject({ code: 'EEXIST' })
    expect(await readdir(join(root, 'new'))).toEqual(['VERSION'])
    await mkdir(join(root, 'empty'))
    await expect(unpackSnapshot(inPieces(tarball()), join(root, 'empty'))).rejects.toMatchObject({
      code: 'EEXIST',
    })
  })

  test('outside, through a link or a name', async () => {
    const attacks: FixtureEntry[][] = [
      [{ name: '../evil', content: 'x' }],
      [{ name: join(root, 'evil'), content: 'x' }],
      [
        { name: 'link', type: '2', patch: (header) => header.write('..', 157) },
        { name: 'link/evil', content: 'x' },
      ],
    ]
    for (const [i, attack] of attacks.entries()) {
      const into = join(root, `${i}`)
      await expect(unpackSnapshot(inPieces(tarball(attack)), into)).rejects.toMatchObject({
        code: 'MEILI_HA_SNAPSHOT_UNSAFE',
      })
    }
    expect((await readdir(root)).toSorted()).toEqual(['0', '1', '2'])
  })

  test('and called whole, when the end is missing', async () => {
    const cut = gzipSync(tar(SMALLEST, Buffer.alloc(512)))
    await expect(unpackSnapshot(inPieces(cut), join(root, 'new'))).rejects.toMatchObject({
      code: 'MEILI_HA_SNAPSHOT_DAMAGED',
    })
  })

  test('where this process may not write, and that is said', async () => {
    // Not even root makes a directory in sysfs.
    const into = unpackSnapshot(inPieces(tarball()), '/sys/new', {
      freeBytes: () => Promise.resolve(1e12),
    })
    await expect(into).rejects.toMatchObject({ code: 'MEILI_HA_DATA_DIR_PERMISSION' })
  })
})

describe('the disk is not filled', () => {
  const options = (free: number[]): UnpackOptions => ({
    reserveBytes: 1000,
    freeBytes: () =>
      Promise.resolve(free.length > 1 ? (free.shift() as number) : (free[0] as number)),
  })
  const full = { code: 'MEILI_HA_DISK_FULL' }

  test('by what the manifest already says is too large: nothing is begun', async () => {
    await expect(unpack([], { ...options([5000]), expectedBytes: 4001 })).rejects.toMatchObject(
      full,
    )
    expect(await readdir(root)).toEqual([])
  })

  test('by a file that says it is too large: nothing of it is written', async () => {
    const bomb = [{ name: 'bomb', size: 2 ** 40 }]
    await expect(unpack(bomb, options([1e9]))).rejects.toMatchObject(full)
    expect(await readdir(join(root, 'new'))).not.toContain('bomb')
  })

  test('by a thousandfold of zeros, nor by holes', async () => {
    const zeros = Buffer.alloc(64 << 20)
    await expect(
      unpack([{ name: 'zeros', content: zeros }], options([1 << 20])),
    ).rejects.toMatchObject(full)
  })

  test('when others fill it meanwhile', async () => {
    const content = Buffer.alloc(1 << 20)
    const files = Array.from({ length: 8 }, (_, i) => ({ name: `f${i}`, content }))
    // Asked again whenever what was granted is used up.
    await expect(unpack(files, options([3 << 20, 3 << 20, 1500]))).rejects.toMatchObject(full)
  })

  test('when there is just enough', async () => {
    await expect(unpack([], options([1200]))).resolves.toMatchObject({ entries: 5 })
  })
})

test('stops with CANCELLED in the middle', async () => {
  const controller = new AbortController()
  const file = join(FIXTURES, 'catalogue.snapshot')
  const source = createReadStream(file, { highWaterMark: 4096 })
  const onProgress = () => controller.abort()
  await expect(
    unpackSnapshot(source, join(root, 'new'), { signal: controller.signal, onProgress }),
  ).rejects.toMatchObject({ code: 'MEILI_HA_CANCELLED' })
})
