import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type S3Server, startS3Server } from '../s3-server/s3-server.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startChild } from './child.ts'

const PART = 5 * 1024 * 1024
const PARTS = 9

describe('an uploader killed in the middle of an upload', () => {
  let directory: string
  let content: Buffer
  let server: S3Server

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'meili-ha-resume-'))
    content = randomBytes((PARTS - 1) * PART + 1234)
    await writeFile(join(directory, 'file'), content)
  })
  afterEach(async () => {
    await server.close()
    await rm(directory, { recursive: true })
  })

  const upload = () => {
    const url = `s3://${server.bucketName}/prefix`
    const env = { ...process.env, ...environmentOf(server) }
    return startChild('upload-child.ts', [url, 'big', join(directory, 'file'), `${PART}`], env)
  }

  /** Lets `parts` parts arrive, then kills it while the others hang. */
  async function killAfter(parts: number) {
    const rule = { op: 'UploadPart', after: parts, times: Infinity }
    server.faults.add({ kind: 'hang' }, rule)
    const child = upload()
    const arrived = () => [...server.bucket.uploads.values()][0]?.parts.size
    await expect.poll(arrived, { timeout: 20_000 }).toBe(parts)
    child.kill('SIGKILL')
    expect(await child.ended).toBe('SIGKILL')
    server.faults.clear()
    server.requests.length = 0
  }

  it.each([
    ['the checksums that the store keeps', true],
    ['ETags, where it keeps no checksums', false],
  ])(
    'is finished by the next one, which sends only what is missing: by %s',
    async (_, checksums) => {
      server = await startS3Server({ pageSize: 2, checksums })
      await killAfter(5)
      const child = upload()
      expect([await child.ended, child.output()]).toEqual([0, expect.stringContaining('"parts"')])
      expect(server.bucket.get('prefix/big').body.equals(content)).toBe(true)
      const sent = child.output().match(/sent$/gm)
      const reused = child.output().match(/reused$/gm)
      expect([sent?.length, reused?.length]).toEqual([PARTS - 5, 5])
      // A store without checksums is asked with one first, once, and refuses.
      expect(
        server.requests.filter(({ op, status }) => op === 'UploadPart' && status === 200),
      ).toHaveLength(PARTS - 5)
      expect(server.count('CreateMultipartUpload')).toBe(0)
      expect(server.bucket.uploads.size).toBe(0)
    },
  )

  it('sends again what differs in the file of today', async () => {
    server = await startS3Server({ pageSize: 2 })
    await killAfter(5)
    content = Buffer.concat([randomBytes(PART), content.subarray(PART, 3 * PART + 99)])
    await truncate(join(directory, 'file'), 0)
    await writeFile(join(directory, 'file'), content)
    const child = upload()
    expect([await child.ended, child.output()]).toEqual([0, expect.stringContaining('"parts"')])
    expect(server.bucket.get('prefix/big').body.equals(content)).toBe(true)
    expect(server.bucket.uploads.size).toBe(0)
  })
})
