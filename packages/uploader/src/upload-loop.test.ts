import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import { dataPaths } from '@meili-ha/core/data-dir/paths.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { tempDir } from './temp-dir.fixture.ts'
import type { SnapshotFile } from './snapshot-file.ts'
import { snapshotPath, UploadLoop, type UploadLoopOptions } from './upload-loop.ts'
import { uploaderMetrics } from './uploader-metrics.ts'
import { UploaderStatus } from './uploader-status.ts'

/** A loop over a real directory; `publish` gets the content of what is to be published. */
async function startLoop(publish: (content: string, file: SnapshotFile) => Promise<void>) {
  const dir = await tempDir()
  const paths = dataPaths(dir.path, {})
  await mkdir(paths.snapshots)
  const metrics = uploaderMetrics()
  const facts = { store: 'memory://', member: 'm1' }
  const status = new UploaderStatus(pino({ level: 'silent' }), metrics, facts)
  const read: UploadLoopOptions['publish'] = async (file) => {
    const { buffer } = await file.handle.read(Buffer.alloc(file.size), 0, file.size, 0)
    await publish(buffer.toString(), file)
  }
  const stop = new AbortController()
  const loop = new UploadLoop({ paths, status, publish: read })
  const ended = loop.run(stop.signal)
  return {
    look: loop.look,
    counted: async (outcome: string) => {
      const line = new RegExp(`snapshots_total{outcome="${outcome}"} (\\d+)`)
      return Number(line.exec(await metrics.registry.metrics())?.[1])
    },
    /** As Meilisearch does: a dot-file, then a rename. */
    place: async (content: string) => {
      await writeFile(join(paths.snapshots, '.tmpAAAAAA'), content)
      await rename(join(paths.snapshots, '.tmpAAAAAA'), snapshotPath(paths))
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await ended
      await dir[Symbol.asyncDispose]()
    },
  }
}

test('one that is replaced while it is uploaded is finished; of the others only the newest is next', async () => {
  const seen: string[] = []
  let finish: (() => void) | undefined
  await using loop = await startLoop(async (content, file) => {
    if (content === 'first') await new Promise<void>((resolve) => (finish = resolve))
    const { buffer } = await file.handle.read(Buffer.alloc(20), 0, 20, 0)
    expect(buffer.toString()).toContain(content)
    seen.push(content)
  })
  await loop.place('first')
  await vi.waitFor(() => expect(finish).toBeDefined())
  await loop.place('second')
  await loop.place('third')
  finish?.()
  await vi.waitFor(() => expect(seen).toEqual(['first', 'third']), { timeout: 5000 })
})

test('a file that is no good is refused once, and the next is published', async () => {
  const seen: string[] = []
  await using loop = await startLoop(async (content) => {
    seen.push(content)
    if (content === 'bad') throw new MeiliHaError('SNAPSHOT_DAMAGED', 'cut off')
  })
  await loop.place('bad')
  await vi.waitFor(async () => expect(await loop.counted('refused')).toBe(1))
  loop.look()
  loop.look()
  await loop.place('good')
  await vi.waitFor(() => expect(seen).toEqual(['bad', 'good']))
})

test('what failed is tried again, later each time, until it is published; then never again', async () => {
  const at: number[] = []
  await using loop = await startLoop(async () => {
    at.push(performance.now())
    if (at.length < 3) throw new MeiliHaError('STORE_UNREACHABLE', 'down')
  })
  await loop.place('x')
  await vi.waitFor(() => expect(at).toHaveLength(3), { timeout: 8000 })
  expect((at[1] as number) - (at[0] as number)).toBeGreaterThan(900)
  expect((at[2] as number) - (at[1] as number)).toBeGreaterThan(1900)
  expect(await loop.counted('failed')).toBe(2)
  loop.look()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(at).toHaveLength(3)
})

test('a standby waits for its permit every second, and calls that no failure', async () => {
  const at: number[] = []
  await using loop = await startLoop(async () => {
    at.push(performance.now())
    if (at.length < 4) throw new MeiliHaError('NOT_PERMITTED', 'standby')
  })
  await loop.place('x')
  await vi.waitFor(() => expect(at).toHaveLength(4), { timeout: 6000 })
  expect((at[3] as number) - (at[2] as number)).toBeLessThan(1900)
  expect(await loop.counted('failed')).toBe(0)
})

test('a file that can not be read for a moment is no failure; one that stays so is', async () => {
  const refuse = new MeiliHaError('DATA_DIR_PERMISSION', '0600')
  let tries = 0
  await using loop = await startLoop(async (content) => {
    tries += 1
    if (content === 'never' || tries === 1) throw refuse
  })
  await loop.place('soon')
  await vi.waitFor(() => expect(tries).toBe(2), { timeout: 5000 })
  expect(await loop.counted('failed')).toBe(0)
  await loop.place('never')
  await vi.waitFor(async () => expect(await loop.counted('failed')).toBe(1), { timeout: 8000 })
})
