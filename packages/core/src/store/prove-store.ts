import { randomBytes, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { isError } from '../errors.ts'
import { type Proof, ProofFailed, type ProofRow, ProofSkipped, prove } from './proof.ts'
import { lockingProofs } from './prove-locking.ts'
import type { Store } from './store.ts'

/** S3's smallest part that isn't the last: two of them make a real multipart upload. */
const PART = 5 * 1024 * 1024

/**
 * Proves that a store keeps what design section 4 needs from it, by trying: permissions verb by
 * verb, list after write, ranges, checksums, multipart, conditional writes under racing writers.
 * Writes about 10 MiB below `check/` and removes it again.
 */
export async function proveStore(store: Store): Promise<ProofRow[]> {
  const prefix = `check/${randomUUID()}`
  try {
    return await prove([...proofsOf(store, prefix), ...lockingProofs(store, prefix)])
  } finally {
    await cleanUp(store, prefix).catch(() => {})
  }
}

function proofsOf(store: Store, prefix: string): Proof[] {
  const small = `${prefix}/small`
  const body = randomUUID()
  return [
    {
      name: 'write an object',
      hint: 'Allow s3:PutObject.',
      run: async () => void (await store.put(small, body)),
    },
    {
      name: 'read it',
      hint: 'Allow s3:GetObject.',
      run: async () => {
        expectSame((await store.get(small)).body, Buffer.from(body))
        const { body: range } = await store.get(small, { range: { start: 4, end: 7 } })
        expectSame(range, Buffer.from(body.slice(4, 8)))
        const head = await store.head(small)
        if (head?.size !== body.length) throw new ProofFailed('HEAD does not show its size')
      },
    },
    {
      name: 'list it right after the write',
      hint: 'Allow s3:ListBucket. A replicated or cached endpoint is not a store.',
      run: () => listAfterWrite(store, prefix),
    },
    {
      name: 'replace and delete are seen at once',
      hint: 'Allow s3:DeleteObject. A replicated or cached endpoint is not a store.',
      run: async () => {
        await store.put(small, `${body} again`)
        expectSame((await store.get(small)).body, Buffer.from(`${body} again`))
        await store.delete(small)
        if (await store.head(small)) throw new ProofFailed('it is still there after DELETE')
      },
    },
    {
      name: 'a damaged body is refused',
      hint: 'The store checks no SHA-256; what it damages is found when it is read.',
      run: () => damaged(store, `${prefix}/damaged`),
    },
    {
      name: 'multipart upload',
      hint: 'Allow s3:PutObject and s3:AbortMultipartUpload.',
      run: () => multipart(store, `${prefix}/multipart`),
    },
    {
      name: 'list unfinished uploads',
      hint: 'Allow s3:ListBucketMultipartUploads and s3:ListMultipartUploadParts: without them an interrupted upload starts anew.',
      run: async () => void (await store.listUploads(prefix)),
    },
  ]
}

async function listAfterWrite(store: Store, prefix: string): Promise<void> {
  for (let i = 1; i <= 5; i++) {
    await store.put(`${prefix}/listed/${i}`, '')
    const count = (await store.list(`${prefix}/listed/`)).length
    if (count !== i) throw new ProofFailed(`${count} of ${i} objects are listed after the write`)
  }
}

/** Drivers that can send a wrong checksum on purpose. */
interface SendsDamaged {
  putDamaged(key: string): Promise<void>
}

async function damaged(store: Store & Partial<SendsDamaged>, key: string): Promise<void> {
  if (!store.putDamaged) throw new ProofSkipped('nothing lies between this store and its disk')
  try {
    await store.putDamaged(key)
  } catch (error) {
    if (isError(error, 'STORE_CHECKSUM')) return
    // Refused for another reason is refused: it knows no such header.
    if (isError(error, 'STORE_REFUSED')) throw new ProofSkipped('the store takes no checksums')
    throw error
  }
  throw new ProofFailed('the store took a body that does not fit its SHA-256')
}

async function multipart(store: Store, key: string): Promise<void> {
  const content = randomBytes(PART + 1)
  const { size } = await store.putStream(key, Readable.from([content]), { partSize: PART })
  if (size !== content.length) throw new ProofFailed(`${size} of ${content.length} bytes arrived`)
  expectSame((await store.get(key)).body, content)
}

function expectSame(actual: Buffer, expected: Buffer): void {
  if (!actual.equals(expected)) throw new ProofFailed('what was read is not what was written')
}

async function cleanUp(store: Store, prefix: string): Promise<void> {
  for (const upload of await store.listUploads(prefix)) await store.abortUpload(upload)
  for (const { key } of await store.list(`${prefix}/`)) await store.delete(key)
}
