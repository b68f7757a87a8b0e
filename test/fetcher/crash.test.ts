import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inspectDataDirectory } from '@meili-ha/core/data-dir/inspect.ts'
import { readLineage } from '@meili-ha/core/data-dir/lineage.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { startProcess } from '../harness/process.ts'
import { tempDir, type TempDir } from '../harness/temp-dir.ts'
import { FIXTURES } from '../uploader/programs.ts'
import { runFetcher } from './in-place.ts'
import { claim, publish } from './publish.ts'
import { FETCHER } from './standby.ts'
import { treeOf, treeOfSnapshot } from './tree.ts'

const KILL = fileURLToPath(new URL('./kill-at.ts', import.meta.url))
const EMPTY = join(FIXTURES, 'empty.snapshot')
const CATALOGUE = join(FIXTURES, 'catalogue.snapshot')
const BACKLOG = join(FIXTURES, 'backlog.snapshot')

let root: TempDir
let store: string
/** By snapshot id, as another tar reader unpacks it. */
const content = new Map<string, Record<string, string>>()

beforeAll(async () => {
  root = await tempDir()
  store = `file://${join(root.path, 'store')}`
  const opened = openStore(store)
  const first = await publish(opened, CATALOGUE, { epoch: 0, seq: 1 })
  const claimed = await claim(opened, first, 1, 'm1')
  const newest = await publish(opened, EMPTY, { epoch: 1, seq: 1 })
  content.set(first.id, await treeOfSnapshot(CATALOGUE))
  content.set(claimed.id, await treeOfSnapshot(CATALOGUE))
  content.set(newest.id, await treeOfSnapshot(EMPTY))
})
afterAll(() => root[Symbol.asyncDispose]())

const argsFor = (data: string) => [
  ...['restore', '--store', store, '--data-dir', data],
  ...['--member', 'm2', '--log-level', 'error'],
]

/** In a process of its own, which doesn't come to its end. */
async function restoreKilled(data: string, env: Record<string, string>) {
  const command = [process.execPath, '--import', KILL, FETCHER, ...argsFor(data)]
  await using child = startProcess({ command, env })
  return await child.exited
}

/** The next start. */
async function restore(data: string): Promise<void> {
  const { code, stderr } = await runFetcher(argsFor(data))
  expect(code, stderr).toBe(0)
}

/** A directory that took writes in epoch 0, which others have followed, and what a crash left. */
async function overtaken(data: string): Promise<Record<string, string>> {
  const live = join(data, 'data.ms')
  await mkdir(live, { recursive: true })
  await unpack(BACKLOG, live)
  const lineage = {
    ...{ format: 1, clusterId: 'cluster-of-tests', snapshotId: null, tarball: null },
    ...{ primaryIn: [0], claim: null, lastTaskUid: null },
  }
  await writeFile(join(live, 'meili-ha.json'), JSON.stringify(lineage))
  const next = join(data, 'data.ms.next')
  await mkdir(next)
  await unpack(CATALOGUE, next)
  await writeFile(join(next, 'meili-ha.json'), JSON.stringify({ ...lineage, primaryIn: [] }))
  await cp(next, join(data, 'data.ms.replaced'), { recursive: true })
  return treeOf(live)
}

async function unpack(file: string, into: string): Promise<void> {
  await using tar = startProcess({ command: ['tar', '-xzf', file, '-C', into] })
  await tar.exited
}

/** Whatever is live is whole, and is what its lineage says it is. */
async function assertTruthful(data: string, original?: Record<string, string>): Promise<void> {
  const live = join(data, 'data.ms')
  const found = await inspectDataDirectory(live)
  expect(['absent', 'whole']).toContain(found.state)
  if (found.state !== 'whole') return
  const lineage = await readLineage(live)
  const expected = lineage?.snapshotId ? content.get(lineage.snapshotId) : original
  expect(await treeOf(live)).toEqual(expected)
}

async function assertRestored(data: string, original?: Record<string, string>): Promise<void> {
  await assertTruthful(data, original)
  expect((await readLineage(join(data, 'data.ms')))?.snapshotId).toBe('0000000001-0000000001')
  const aside = (await readdir(data)).filter((name) => name.includes('.diverged-'))
  const kept = await Promise.all(aside.map((name) => treeOf(join(data, name))))
  expect(kept).toEqual(original ? [original] : [])
}

describe('fetcher restore, killed with -9', () => {
  test('at each step of replacing what took writes: nothing is half, nothing is lost', async () => {
    const steps = Array.from({ length: 200 }, (_, index) => index + 1).values()
    let survivedAt: number | undefined
    const lane = async () => {
      for (const step of steps) {
        const data = join(root.path, `step-${step}`)
        const original = await overtaken(data)
        const { code, signal } = await restoreKilled(data, { KILL_AT: String(step) })
        expect(code ?? signal).toBe(signal === null ? 0 : 'SIGKILL')
        await assertTruthful(data, original)
        await restore(data)
        await assertRestored(data, original)
        await rm(data, { recursive: true })
        if (signal === null) survivedAt = Math.min(step, survivedAt ?? step)
        if (survivedAt !== undefined) return
      }
    }
    await Promise.all([lane(), lane()])
    // It went through all of them, and there were some.
    expect(survivedAt).toBeGreaterThan(20)
  })

  test('at any moment of a first restore: the next start is whole', async () => {
    for (let round = 0; round < 12; round++) {
      const data = join(root.path, `random-${round}`)
      await using child = startProcess({
        command: [process.execPath, FETCHER, 'restore', '--store', store, '--data-dir', data],
      })
      // Most of it is the start of the program; the work is at the end.
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 250))
      await child.kill()
      if ((await readdir(data).catch(() => [])).length > 0) await assertTruthful(data)
      await restore(data)
      await assertRestored(data)
    }
  })
})
