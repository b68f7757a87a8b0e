import { randomBytes, createHash } from 'node:crypto'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { isError } from '@meili-ha/core/errors.ts'
import { proveStore } from '@meili-ha/core/store/prove-store.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const MIB = 1024 * 1024

/** The smallest part that every S3 store takes. */
const PART = 5 * MIB

/**
 * What every store promises to the programs, whatever keeps it.
 * @param openStore opens a store whose prefix nobody else uses.
 */
export function describeStore(
  name: string,
  openStore: () => Promise<Store>,
  { skip = false }: { skip?: boolean } = {},
): void {
  describe.skipIf(skip)(`a store: ${name}`, () => {
    let store: Store
    let directory: string

    beforeAll(async () => {
      store = await openStore()
      directory = await mkdtemp(join(tmpdir(), 'meili-ha-conformance-'))
    })

    afterAll(async () => {
      for (const upload of await store.listUploads('')) await store.abortUpload(upload)
      for (const { key } of await store.list('')) await store.delete(key)
      store.close()
      await rm(directory, { recursive: true })
    })

    const fails = async (act: Promise<unknown>) => {
      const error = await act.then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      return isError(error) ? error.code.replace('MEILI_HA_', '') : error
    }

    it('lists nothing before anything was written', async () => {
      expect(await store.list('')).toEqual([])
      expect(await store.listUploads('')).toEqual([])
    })

    it('gives back what was put, with the ETag of that write', async () => {
      const { etag } = await store.put('small/a.json', '{"a":1}')
      const got = await store.get('small/a.json')
      expect(got.body.toString()).toBe('{"a":1}')
      expect(got).toMatchObject({ etag, size: 7 })
      expect(await store.head('small/a.json')).toEqual({ key: 'small/a.json', size: 7, etag })
      expect(etag).not.toContain('"')
    })

    it('keeps an empty object', async () => {
      await store.put('small/empty', '')
      expect((await store.get('small/empty')).body.length).toBe(0)
      expect(await store.head('small/empty')).toMatchObject({ size: 0 })
    })

    it('replaces an object as a whole', async () => {
      const before = await store.put('small/b', 'a long first version')
      const after = await store.put('small/b', 'short')
      expect((await store.get('small/b')).body.toString()).toBe('short')
      expect(after.etag).not.toBe(before.etag)
    })

    it('says that there is no such object', async () => {
      expect(await fails(store.get('small/none'))).toBe('STORE_NOT_FOUND')
      expect(await store.head('small/none')).toBeUndefined()
      await store.delete('small/none')
    })

    it('deletes', async () => {
      await store.put('small/c', 'c')
      await store.delete('small/c')
      expect(await store.head('small/c')).toBeUndefined()
      expect((await store.list('small/')).map(({ key }) => key)).not.toContain('small/c')
    })

    it('lists by prefix what was just written, with sizes and ETags', async () => {
      const keys = Array.from({ length: 7 }, (_, i) => `listed/${i}/x-${i}.json`)
      const put = await Promise.all(keys.map((key) => store.put(key, key)))
      const found = await store.list('listed/')
      expect(found.toSorted((a, b) => (a.key < b.key ? -1 : 1))).toEqual(
        keys.map((key, i) => ({ key, size: key.length, etag: put[i]!.etag })),
      )
      expect(await store.list('listed/3')).toHaveLength(1)
      expect(await store.list('listed/3/x-')).toHaveLength(1)
      expect(await store.list('listed/nothing/')).toEqual([])
    })

    it('reads ranges, pinned to one version', async () => {
      const { etag } = await store.put('small/range', '0123456789')
      const range = { start: 2, end: 5 }
      const got = await store.get('small/range', { range, ifMatch: etag })
      expect(got.body.toString()).toBe('2345')
      expect(got.size).toBe(10)
      const past = await store.get('small/range', { range: { start: 8, end: 99 } })
      expect(past.body.toString()).toBe('89')
      expect(await fails(store.get('small/range', { range: { start: 10, end: 12 } }))).toBe(
        'STORE_REFUSED',
      )
      await store.put('small/range', 'abcdefghij')
      expect(await fails(store.get('small/range', { range, ifMatch: etag }))).toBe('STORE_CONFLICT')
    })

    it("reads into the caller's buffer", async () => {
      await store.put('small/into', 'hello')
      const into = Buffer.alloc(16)
      const { body } = await store.get('small/into', { into })
      expect(body.toString()).toBe('hello')
      expect(body.buffer).toBe(into.buffer)
    })

    it('creates once: a second create is a conflict', async () => {
      const first = await store.put('cas/once', 'first', { ifNoneMatch: '*' })
      expect(await fails(store.put('cas/once', 'second', { ifNoneMatch: '*' }))).toBe(
        'STORE_CONFLICT',
      )
      expect(await store.get('cas/once')).toMatchObject({ etag: first.etag })
    })

    it('replaces only the version that was named', async () => {
      const first = await store.put('cas/replace', 'first')
      const second = await store.put('cas/replace', 'second', { ifMatch: first.etag })
      expect(await fails(store.put('cas/replace', 'third', { ifMatch: first.etag }))).toBe(
        'STORE_CONFLICT',
      )
      expect(await store.get('cas/replace')).toMatchObject({ etag: second.etag })
      expect(await fails(store.put('cas/absent', 'x', { ifMatch: first.etag }))).toBe(
        'STORE_CONFLICT',
      )
    })

    it('tells apart quick writes of one size', async () => {
      const etags = new Set<string>()
      for (let i = 0; i < 50; i++) {
        etags.add((await store.put('cas/quick', String(i).padStart(8, '0'))).etag)
        await store.delete('cas/quick')
      }
      expect(etags.size).toBe(50)
    })

    it('lets exactly one of 32 racing creates win', async () => {
      const race = Array.from({ length: 32 }, (_, i) =>
        store.put('cas/race', `writer ${i}`, { ifNoneMatch: '*', retries: 0 }),
      )
      expect(await outcomeOf(race, 'cas/race')).toEqual(ONE_WINNER)
    })

    it('lets exactly one of 32 racing replacements win', async () => {
      const { etag } = await store.put('cas/race-2', 'before')
      const race = Array.from({ length: 32 }, (_, i) =>
        store.put('cas/race-2', `writer ${i}`, { ifMatch: etag, retries: 0 }),
      )
      expect(await outcomeOf(race, 'cas/race-2')).toEqual(ONE_WINNER)
    })

    const ONE_WINNER = { winners: 1, conflicts: 31, kept: "the winner's" }

    async function outcomeOf(race: Promise<{ etag: string }>[], key: string) {
      const results = await Promise.allSettled(race)
      const won = results.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []))
      const conflicts = results.filter(
        (result) => result.status === 'rejected' && isError(result.reason, 'STORE_CONFLICT'),
      )
      const body = (await store.get(key)).body.toString()
      const kept = body === `writer ${won[0]}` ? "the winner's" : body
      return { winners: won.length, conflicts: conflicts.length, kept }
    }

    it.each([
      ['nothing', 0],
      ['less than a part', 1000],
      ['exactly a part', PART],
      ['several parts and a rest', 2 * PART + 12_345],
    ])('takes a file of %s', async (_name, size) => {
      const content = randomBytes(size)
      const path = join(directory, 'file')
      await writeFile(path, content)
      const handle = await open(path)
      const seen: number[] = []
      const onPart = (part: { index: number; bytes: number }) => (seen[part.index] = part.bytes)
      const stored = await store.putFile('big/file', { handle, size }, { partSize: PART, onPart })
      await handle.close()
      expect(stored).toMatchObject({ size, parts: digestsOf(content) })
      expect(seen.reduce((sum, bytes) => sum + bytes, 0)).toBe(size)
      const got = await store.get('big/file')
      expect(got.body.equals(content)).toBe(true)
      expect(got.etag).toBe(stored.etag)
      expect(await store.listUploads('big/')).toEqual([])
    })

    it.each([
      ['nothing', 0],
      ['less than a part', 1000],
      ['several parts and a rest', 2 * PART + 54_321],
    ])('takes a stream of %s', async (_name, size) => {
      const content = randomBytes(size)
      const chunks = function* () {
        for (let at = 0; at < size; at += 65_000) yield content.subarray(at, at + 65_000)
      }
      const stream = Readable.from(chunks())
      const stored = await store.putStream('big/stream', stream, { partSize: PART })
      expect(stored).toMatchObject({ size, parts: digestsOf(content) })
      expect((await store.get('big/stream')).body.equals(content)).toBe(true)
      expect(await store.listUploads('big/')).toEqual([])
    })

    it('leaves neither object nor upload behind when the stream breaks', async () => {
      const chunks = function* () {
        yield randomBytes(2 * PART + 1)
        throw new Error('the disk is gone')
      }
      const upload = store.putStream('big/broken', Readable.from(chunks()), { partSize: PART })
      await expect(upload).rejects.toThrow('the disk is gone')
      expect(await store.head('big/broken')).toBeUndefined()
      expect(await store.listUploads('big/')).toEqual([])
    })

    it('shows an unfinished upload, and forgets it when it is aborted', async () => {
      // Asked by its whole key: MinIO knows no other way.
      const cancel = new AbortController()
      const stream = Readable.from(
        (async function* () {
          yield randomBytes(PART + 1)
          await new Promise((resolve) => cancel.signal.addEventListener('abort', resolve))
          throw new Error('cancelled')
        })(),
      )
      const upload = store.putStream('big/unfinished', stream, { partSize: PART }).catch(() => {})
      await expect
        .poll(() => store.listUploads('big/unfinished'), { timeout: 10_000 })
        .toHaveLength(1)
      expect(await store.list('big/unfinished')).toEqual([])
      const [unfinished] = await store.listUploads('big/unfinished')
      expect(unfinished!.key).toBe('big/unfinished')
      await store.abortUpload(unfinished!)
      expect(await store.listUploads('big/unfinished')).toEqual([])
      await store.abortUpload(unfinished!)
      cancel.abort()
      await upload
      expect(await store.head('big/unfinished')).toBeUndefined()
    })

    it('stops an upload whose stream brings nothing more when it is told to', async () => {
      const cancel = new AbortController()
      const stream = Readable.from(
        (async function* () {
          yield randomBytes(PART + 1)
          cancel.abort()
          await new Promise(() => {})
        })(),
      )
      const options = { partSize: PART, signal: cancel.signal }
      expect(await fails(store.putStream('big/stopped', stream, options))).toBe('CANCELLED')
      expect(stream.destroyed).toBe(true)
      expect(await store.listUploads('big/')).toEqual([])
    })

    it('is proved by what `uploader check` runs', async () => {
      const rows = await proveStore(store)
      expect(rows.filter(({ result }) => result === 'failed')).toEqual([])
    })

    it('takes no key that leaves the store', async () => {
      for (const key of ['', '/etc/passwd', '../x', 'a/../../x', 'a//b', 'a/./b', '.meili-ha/x']) {
        expect([key, await fails(store.put(key, 'x'))]).toEqual([key, 'USAGE'])
        expect([key, await fails(store.get(key))]).toEqual([key, 'USAGE'])
        expect([key, await fails(store.head(key))]).toEqual([key, 'USAGE'])
        expect([key, await fails(store.delete(key))]).toEqual([key, 'USAGE'])
      }
    })
  })
}

/** Hex SHA-256 of every part. */
function digestsOf(content: Buffer): string[] {
  const count = Math.ceil(content.length / PART)
  return Array.from({ length: count }, (_, i) =>
    createHash('sha256')
      .update(content.subarray(i * PART, (i + 1) * PART))
      .digest('hex'),
  )
}
