import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ProofRow } from '@meili-ha/core/store/proof.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { proveLocking } from '@meili-ha/core/store/prove-locking.ts'
import { proveStore } from '@meili-ha/core/store/prove-store.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type S3Server, startS3Server } from '../s3-server/s3-server.ts'
import { storeOn } from '../s3-server/s3-server-store.ts'

const failures = (rows: ProofRow[]) => rows.filter(({ result }) => result === 'failed')
const names = (rows: ProofRow[]) => rows.map(({ name }) => name)

describe('proving a store', () => {
  let server: S3Server
  let store: Store

  beforeEach(async () => {
    server = await startS3Server({ pageSize: 3 })
    store = storeOn(server)
  })
  afterEach(() => {
    store.close()
    return server.close()
  })

  it('finds nothing wrong with an S3 store that keeps its promises, and leaves nothing', async () => {
    const rows = await proveStore(store)
    expect(rows.filter(({ result }) => result !== 'ok')).toEqual([])
    expect(rows.length).toBeGreaterThan(8)
    expect(server.bucket.objects.size).toBe(0)
    expect(server.bucket.uploads.size).toBe(0)
  })

  it('finds nothing wrong with a directory', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'meili-ha-prove-'))
    const rows = await proveStore(openStore(pathToFileURL(directory).href))
    expect(failures(rows)).toEqual([])
    const found = await readdir(directory, { recursive: true, withFileTypes: true })
    expect(found.filter((entry) => entry.isFile() && !entry.parentPath.includes('locks'))).toEqual(
      [],
    )
    await rm(directory, { recursive: true })
  })

  it('does not let a store lock that ignores conditions', async () => {
    const careless: Store = Object.create(store, {
      put: { value: (key: string, body: string) => store.put(key, body) },
      get: { value: (key: string) => store.get(key) },
      delete: { value: (key: string) => store.delete(key) },
    })
    expect(failures(await proveLocking(careless))).toHaveLength(4)
  })

  it('does not let a store lock that says yes to everyone', async () => {
    const polite: Store = Object.create(store, {
      put: {
        value: (...put: Parameters<Store['put']>) => store.put(...put).catch(() => ({ etag: 'x' })),
      },
      get: { value: (key: string) => store.get(key) },
      delete: { value: (key: string) => store.delete(key) },
    })
    expect(failures(await proveLocking(polite))).toHaveLength(4)
  })

  it('does not let a store lock that checks and then writes', async () => {
    const racy: Store = Object.create(store, {
      put: {
        value: async (key: string, body: string, options: Parameters<Store['put']>[2] = {}) => {
          if (options.ifNoneMatch && !(await store.head(key))) return store.put(key, body)
          return store.put(key, body, options)
        },
      },
      get: { value: (key: string) => store.get(key) },
      delete: { value: (key: string) => store.delete(key) },
    })
    expect(names(failures(await proveLocking(racy)))).toEqual(['one of 32 racing creates wins'])
  })

  it.each([
    ['PutObject', 'write an object'],
    ['GetObject', 'read it'],
    ['ListObjectsV2', 'list it right after the write'],
    ['DeleteObject', 'replace and delete are seen at once'],
    ['CreateMultipartUpload', 'multipart upload'],
    ['ListMultipartUploads', 'list unfinished uploads'],
  ])('names the missing permission for %s', async (op, row) => {
    server.faults.add({ kind: 'status', status: 403, code: 'AccessDenied' }, { op, times: 1e9 })
    const failed = failures(await proveStore(store))
    expect(names(failed)).toContain(row)
    expect(failed.every(({ hint }) => hint !== undefined)).toBe(true)
  })
})
