import { Readable } from 'node:stream'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type S3Server, startS3Server } from './s3-server.ts'

describe('the S3 server of the tests', () => {
  let server: S3Server

  beforeEach(async () => {
    server = await startS3Server()
  })
  afterEach(() => server.close())

  /** The SDK as it comes: CRC32 for everything. */
  const client = (secretAccessKey = server.credentials.secretAccessKey) =>
    new S3Client({
      endpoint: server.endpoint,
      region: 'eu-central-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: server.credentials.accessKeyId, secretAccessKey },
    })
  const at = (key: string) => ({ Bucket: server.bucketName, Key: key })

  it('takes and gives what the SDK sends by itself, odd keys included', async () => {
    const key = "a folder/ä & <b>+c'(1)*.txt"
    await client().send(new PutObjectCommand({ ...at(key), Body: 'body' }))
    const { Body } = await client().send(new GetObjectCommand(at(key)))
    expect(await Body?.transformToString()).toBe('body')
    expect(server.requests[0]?.headers['x-amz-checksum-crc32']).toBeDefined()
  })

  it('takes a stream in chunks with its checksum behind it', async () => {
    const Body = Readable.from([Buffer.from('hello '), Buffer.from('world')])
    await client().send(new PutObjectCommand({ ...at('stream'), Body, ContentLength: 11 }))
    expect(server.bucket.get('stream').body.toString()).toBe('hello world')
    expect(server.requests[0]?.headers['x-amz-trailer']).toBe('x-amz-checksum-crc32')
  })

  it('refuses a stream whose checksum does not fit', async () => {
    server.faults.add({ kind: 'flip-request' })
    const Body = Readable.from([Buffer.alloc(1000, 'x')])
    const put = client().send(new PutObjectCommand({ ...at('stream'), Body, ContentLength: 1000 }))
    await expect(put).rejects.toMatchObject({ name: 'BadDigest' })
  })

  it('refuses a body that does not fit its signature', async () => {
    server.faults.add({ kind: 'flip-request' })
    const put = client().send(new PutObjectCommand({ ...at('a'), Body: 'x'.repeat(100) }))
    await expect(put).rejects.toMatchObject({ name: 'XAmzContentSHA256Mismatch' })
    expect(server.bucket.objects.size).toBe(0)
  })

  it('refuses another secret, and no signature at all', async () => {
    const put = client('wrong').send(new PutObjectCommand({ ...at('a'), Body: 'x' }))
    await expect(put).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' })
    const { status } = await fetch(`${server.endpoint}/${server.bucketName}/a`)
    expect(status).toBe(403)
  })
})
