import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dataPaths, type DataPaths } from './paths.ts'
import { withSoleUse } from './sole-use.ts'

let paths: DataPaths
beforeEach(async () => {
  paths = dataPaths(join(await mkdtemp(join(tmpdir(), 'sole-')), 'new', 'volume'), {})
})
afterEach(() => rm(join(paths.parent, '../..'), { recursive: true }))

const { signal } = new AbortController()
/** Waits as long as it is told in no time. */
const quick = {
  random: () => 1,
  sleep: () => new Promise<void>((resolve) => setImmediate(resolve)),
}

describe('of two fetchers on one data directory', () => {
  test('the second is refused while the first is at work, and comes in afterwards', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const began = Promise.withResolvers<void>()
    const first = withSoleUse(paths, signal, () => {
      began.resolve()
      return promise
    })
    await began.promise
    await expect(
      withSoleUse(paths, signal, () => Promise.resolve('second'), quick),
    ).rejects.toMatchObject({
      code: 'MEILI_HA_DATA_DIR_IN_USE',
      message: `another fetcher is at work on ${paths.live}`,
    })
    resolve('first')
    expect(await first).toBe('first')
    expect(await withSoleUse(paths, signal, () => Promise.resolve('second'), quick)).toBe('second')
  })

  test('where nothing can be written it is still looked at', async () => {
    const sys = dataPaths('/sys/new', {})
    expect(await withSoleUse(sys, signal, () => Promise.resolve('kept'))).toBe('kept')
  })

  test('one that fails makes room too', async () => {
    await expect(withSoleUse(paths, signal, () => Promise.reject(new Error('x')))).rejects.toThrow(
      'x',
    )
    expect(await withSoleUse(paths, signal, () => Promise.resolve(1), quick)).toBe(1)
  })
})
