import { randomBytes } from 'node:crypto'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { REAL_CLOCK, type StoreClock } from '@meili-ha/core/store/deadline.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type S3Server, startS3Server } from '../s3-server/s3-server.ts'
import { storeOn } from '../s3-server/s3-server-store.ts'

const PART = 5 * 1024 * 1024

/** Waits a fraction of what it is asked to, so that real deadlines pass quickly; notes it all. */
function hurriedClock(times = 20) {
  const waits: number[] = []
  const clock: StoreClock = {
    random: () => 0.5,
    sleep: (ms, signal) => {
      waits.push(ms)
      return REAL_CLOCK.sleep(ms / times, signal)
    },
  }
  return { clock, waits }
}

describe('an S3 store on a bad day', () => {
  let server: S3Server
  let store: Store
  let waits: number[]

  beforeEach(async () => {
    server = await startS3Server()
    const hurried = hurriedClock()
    waits = hurried.waits
    store = storeOn(server, {}, hurried.clock)
  })
  afterEach(() => {
    store.close()
    return server.close()
  })

  it('gets through errors, resets and silence', async () => {
    await store.put('a', 'body')
    server.faults.add({ kind: 'status', status: 500, code: 'InternalError' })
    server.faults.add({ kind: 'reset' })
    server.faults.add({ kind: 'hang' })
    expect((await store.get('a')).body.toString()).toBe('body')
    expect(server.count('GetObject')).toBe(4)
  })

  it('gets through every way in which a body can break off', async () => {
    const body = randomBytes(100_000)
    await store.put('a', body)
    server.faults.add({ kind: 'short-body' })
    server.faults.add({ kind: 'hang-in-body' })
    server.faults.add({ kind: 'flip-answer' })
    expect((await store.get('a')).body.equals(body)).toBe(true)
    expect(server.count('GetObject')).toBe(4)
  })

  it('takes a clean end that comes too early for a drop', async () => {
    const body = randomBytes(1000)
    await store.put('a', body)
    server.faults.add({ kind: 'clean-short-body' })
    const got = await store.get('a', { range: { start: 100, end: 899 } })
    expect(got.body.equals(body.subarray(100, 900))).toBe(true)
  })

  it('waits as long as the store asks for', async () => {
    server.faults.add({ kind: 'status', status: 503, code: 'SlowDown', retryAfter: '17' })
    await store.put('a', 'body')
    expect(waits).toContain(17_000)
  })

  it('gives up on a store that stays away, and says so', async () => {
    const fault = { kind: 'status', status: 503, code: 'SlowDown' } as const
    server.faults.add(fault, { times: Infinity })
    await expect(store.list('')).rejects.toMatchObject({
      code: 'MEILI_HA_STORE_UNREACHABLE',
      remoteCode: 'SlowDown',
    })
    expect(server.count('ListObjectsV2')).toBe(6)
  })

  it('asks once where the answer is no', async () => {
    server.faults.add({ kind: 'status', status: 403, code: 'AccessDenied' })
    await expect(store.get('a')).rejects.toMatchObject({ code: 'MEILI_HA_STORE_DENIED' })
    expect(server.requests).toHaveLength(1)
  })

  it.each([409, 412])('reports a %i as a conflict', async (status) => {
    server.faults.add({ kind: 'status', status, code: 'ConditionalRequestConflict' })
    const put = store.put('a', 'x', { ifNoneMatch: '*' })
    await expect(put).rejects.toMatchObject({ code: 'MEILI_HA_STORE_CONFLICT' })
    expect(server.requests).toHaveLength(1)
  })

  it('sends a damaged upload again', async () => {
    server.faults.add({ kind: 'flip-request' })
    await store.put('a', 'body')
    expect(server.bucket.get('some/prefix/a').body.toString()).toBe('body')
    expect(server.count('PutObject')).toBe(2)
  })

  it('meets its own object when the answer to a create was lost: the caller compares', async () => {
    server.faults.add({ kind: 'lost-answer' })
    const put = store.put('a', 'mine', { ifNoneMatch: '*' })
    await expect(put).rejects.toMatchObject({ code: 'MEILI_HA_STORE_CONFLICT' })
    expect((await store.get('a')).body.toString()).toBe('mine')
  })

  it('does not know what became of a write that is sent once', async () => {
    server.faults.add({ kind: 'lost-answer' })
    const put = store.put('a', 'mine', { ifNoneMatch: '*', retries: 0 })
    await expect(put).rejects.toMatchObject({ code: 'MEILI_HA_STORE_UNREACHABLE' })
    expect(server.count('PutObject')).toBe(1)
  })

  it('ends within the time it was given', async () => {
    const real = storeOn(server)
    server.faults.add({ kind: 'hang' })
    const started = performance.now()
    const put = real.put('a', 'x', { retries: 0, timeoutMs: 200 })
    await expect(put).rejects.toMatchObject({ code: 'MEILI_HA_STORE_UNREACHABLE' })
    expect(performance.now() - started).toBeLessThan(2000)
    real.close()
  })

  it('names a bucket that is not there', async () => {
    server.faults.add({ kind: 'status', status: 404, code: 'NoSuchBucket' })
    await expect(store.list('')).rejects.toMatchObject({ code: 'MEILI_HA_STORE_NO_BUCKET' })
  })

  it('asks for encryption, and for the storage class of tarballs only', async () => {
    const options = { sse: 'aws:kms', sseKmsKeyId: 'key-1', storageClass: 'STANDARD_IA' } as const
    const special = storeOn(server, options)
    await special.put('manifest', '{}')
    await special.putStream('small', Readable.from([randomBytes(10)]), { partSize: PART })
    await special.putStream('big', Readable.from([randomBytes(PART + 1)]), { partSize: PART })
    special.close()
    const encryption = {
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
    }
    const cold = { ...encryption, 'x-amz-storage-class': 'STANDARD_IA' }
    const headers = (key: string) => server.bucket.get(`some/prefix/${key}`).headers
    expect(headers('manifest')).toEqual(encryption)
    expect(headers('small')).toEqual(cold)
    expect(headers('big')).toEqual(cold)
  })
})

describe('an S3 upload in parts on a bad day', () => {
  const size = 6 * PART + 100
  const content = randomBytes(size)
  let directory: string
  let server: S3Server
  let store: Store

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'meili-ha-parts-'))
    await writeFile(join(directory, 'file'), content)
    server = await startS3Server()
    store = storeOn(server, {}, hurriedClock().clock)
  })
  afterEach(async () => {
    store.close()
    await server.close()
    await rm(directory, { recursive: true })
  })

  async function upload(signal?: AbortSignal) {
    await using handle = await open(join(directory, 'file'))
    const options = { partSize: PART, ...(signal && { signal }) }
    return await store.putFile('big', { handle, size }, options)
  }
  const partsTaken = () =>
    server.requests.filter(({ op, status }) => op === 'UploadPart' && status === 200).length
  const uploaded = () => server.bucket.objects.get('some/prefix/big')?.body.equals(content)

  it('gets through trouble with parts, and sends only those again', async () => {
    server.faults.add({ kind: 'reset' }, { op: 'UploadPart', after: 1 })
    server.faults.add({ kind: 'flip-request' }, { op: 'UploadPart', after: 2 })
    server.faults.add({ kind: 'lost-answer' }, { op: 'UploadPart', after: 3 })
    server.faults.add({ kind: 'status', status: 503, code: 'SlowDown' }, { op: 'UploadPart' })
    await upload()
    expect(uploaded()).toBe(true)
    expect(server.count('UploadPart')).toBe(7 + 4)
    expect(server.count('CreateMultipartUpload')).toBe(1)
  })

  it('sends a SHA-256 with every part', async () => {
    await upload()
    const parts = server.requests.filter(({ op }) => op === 'UploadPart')
    expect(parts.filter(({ headers }) => headers['x-amz-checksum-sha256'])).toHaveLength(7)
  })

  it('recognises its own object when the answer to the last step was lost', async () => {
    server.faults.add({ kind: 'lost-answer' }, { op: 'CompleteMultipartUpload' })
    const stored = await upload()
    expect(stored.etag).toBe(server.bucket.get('some/prefix/big').etag)
    expect(server.count('CreateMultipartUpload')).toBe(1)
    expect(uploaded()).toBe(true)
  })

  it.each([
    ['UploadPart', 404, 'NoSuchUpload'],
    ['CompleteMultipartUpload', 409, 'ConditionalRequestConflict'],
  ])('starts once more when %s is told %i %s', async (op, status, code) => {
    server.faults.add({ kind: 'status', status, code }, { op })
    await upload()
    expect(uploaded()).toBe(true)
    expect(server.count('CreateMultipartUpload')).toBe(2)
    expect(server.bucket.uploads.size).toBe(0)
  })

  it('has removed its parts when it fails for good', async () => {
    const fault = { kind: 'status', status: 403, code: 'AccessDenied' } as const
    server.faults.add(fault, { op: 'UploadPart', after: 3, times: Infinity })
    await expect(upload()).rejects.toMatchObject({ code: 'MEILI_HA_STORE_DENIED' })
    expect(server.bucket.uploads.size).toBe(0)
    expect(server.bucket.objects.size).toBe(0)
  })

  describe('of a stream', () => {
    const stream = () => Readable.from([content.subarray(0, PART - 7), content.subarray(PART - 7)])
    const uploadStream = (source = stream(), signal?: AbortSignal) =>
      store.putStream('big', source, { partSize: PART, ...(signal && { signal }) })

    it('gets through trouble with parts, and sends only those again', async () => {
      server.faults.add({ kind: 'reset' }, { op: 'UploadPart', after: 1 })
      server.faults.add({ kind: 'flip-request' }, { op: 'UploadPart', after: 2 })
      server.faults.add({ kind: 'lost-answer' }, { op: 'UploadPart', after: 3 })
      server.faults.add({ kind: 'hang' }, { op: 'UploadPart', after: 4 })
      server.faults.add({ kind: 'status', status: 503, code: 'SlowDown' }, { op: 'UploadPart' })
      await uploadStream()
      expect(uploaded()).toBe(true)
      expect(server.count('UploadPart')).toBe(7 + 5)
      expect(server.count('CreateMultipartUpload')).toBe(1)
    })

    it('sends a SHA-256 with every part', async () => {
      await uploadStream()
      const parts = server.requests.filter(({ op }) => op === 'UploadPart')
      expect(parts.filter(({ headers }) => headers['x-amz-checksum-sha256'])).toHaveLength(7)
    })

    it('recognises its own object when the answer to the last step was lost', async () => {
      server.faults.add({ kind: 'lost-answer' }, { op: 'CompleteMultipartUpload' })
      const stored = await uploadStream()
      expect(stored.etag).toBe(server.bucket.get('some/prefix/big').etag)
      expect(uploaded()).toBe(true)
    })

    it.each(['UploadPart', 'CompleteMultipartUpload'])(
      'has removed its parts before it says that %s is denied',
      async (op) => {
        const fault = { kind: 'status', status: 403, code: 'AccessDenied' } as const
        server.faults.add(fault, { op, after: op === 'UploadPart' ? 3 : 0, times: Infinity })
        await expect(uploadStream()).rejects.toMatchObject({ code: 'MEILI_HA_STORE_DENIED' })
        expect(server.count('AbortMultipartUpload')).toBe(1)
        expect(server.bucket.uploads.size).toBe(0)
        expect(server.bucket.objects.size).toBe(0)
      },
    )

    it('has removed its parts before it says that it was cancelled', async () => {
      const cancel = new AbortController()
      server.faults.add({ kind: 'hang' }, { op: 'UploadPart', after: 3, times: Infinity })
      const cancelled = uploadStream(stream(), cancel.signal)
      await expect.poll(() => server.count('UploadPart')).toBeGreaterThan(4)
      cancel.abort()
      await expect(cancelled).rejects.toMatchObject({ code: 'MEILI_HA_CANCELLED' })
      expect(server.bucket.uploads.size).toBe(0)
    })

    it('ends when the store is silent for ever', async () => {
      server.faults.add({ kind: 'hang' }, { op: 'UploadPart', after: 2, times: Infinity })
      const impatient = storeOn(server, {}, hurriedClock(150).clock)
      const put = impatient.putStream('big', stream(), { partSize: PART })
      await expect(put).rejects.toMatchObject({ code: 'MEILI_HA_STORE_UNREACHABLE' })
      expect(server.bucket.uploads.size).toBe(0)
      impatient.close()
    })

    it('goes on without checksums where the store refuses them', async () => {
      const fault = { kind: 'status', status: 501, code: 'NotImplemented' } as const
      server.faults.add(fault, { op: 'CreateMultipartUpload' })
      await uploadStream()
      expect(uploaded()).toBe(true)
    })
  })

  it('does not wait for a stream that stands still when it has failed', async () => {
    server.faults.add({ kind: 'status', status: 403, code: 'AccessDenied' }, { op: 'UploadPart' })
    const stream = Readable.from(
      (async function* () {
        yield content.subarray(0, PART + 1)
        await new Promise(() => {})
      })(),
    )
    const failed = store.putStream('big', stream, { partSize: PART })
    await expect(failed).rejects.toMatchObject({ code: 'MEILI_HA_STORE_DENIED' })
    expect(stream.destroyed).toBe(true)
    expect(server.bucket.uploads.size).toBe(0)
  })

  it('leaves its parts for the next attempt when it is cancelled', async () => {
    const cancel = new AbortController()
    server.faults.add({ kind: 'hang' }, { op: 'UploadPart', after: 3, times: Infinity })
    const cancelled = upload(cancel.signal)
    const arrived = () => [...server.bucket.uploads.values()][0]?.parts.size
    await expect.poll(arrived).toBe(3)
    cancel.abort()
    await expect(cancelled).rejects.toMatchObject({ code: 'MEILI_HA_CANCELLED' })
    expect(arrived()).toBe(3)
    server.faults.clear()
    server.requests.length = 0
    await upload()
    expect(uploaded()).toBe(true)
    expect(partsTaken()).toBe(7 - 3)
    expect(server.bucket.uploads.size).toBe(0)
  })

  it('leaves its parts for the next attempt when the store stays away', async () => {
    const fault = { kind: 'status', status: 503, code: 'SlowDown' } as const
    server.faults.add(fault, { op: 'UploadPart', after: 3, times: Infinity })
    await expect(upload()).rejects.toMatchObject({ code: 'MEILI_HA_STORE_UNREACHABLE' })
    server.faults.clear()
    server.requests.length = 0
    await upload()
    expect(uploaded()).toBe(true)
    expect(partsTaken()).toBe(7 - 3)
  })

  it('refuses a file that shrinks while it is sent', async () => {
    await using handle = await open(join(directory, 'file'))
    const tooMuch = store.putFile('big', { handle, size: size + 1 }, { partSize: PART })
    await expect(tooMuch).rejects.toMatchObject({ code: 'MEILI_HA_SNAPSHOT_DAMAGED' })
    expect(server.bucket.uploads.size).toBe(0)
  })
})
