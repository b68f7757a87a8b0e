import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { environmentOf, storeOn } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { FIXTURES, manifestsIn, runUploader } from './programs.ts'

const CATALOGUE = join(FIXTURES, 'catalogue.snapshot')

describe('uploader publish', () => {
  test('puts a checked tarball and its manifest into the store', async () => {
    await using dir = await tempDir()
    const url = `file://${dir.path}/store`
    const { code, stdout } = await runUploader(['publish', CATALOGUE, '--store', url])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '0000000000-0000000001\n' })
    const [manifest] = await manifestsIn(openStore(url))
    expect(manifest).toMatchObject({
      meilisearch: { version: '1.50.0' },
      contents: { indexes: 3 },
      object: { size: 1_135_260 },
    })
    const stored = await readFile(join(dir.path, 'store', manifest?.object?.key ?? ''))
    expect(stored.equals(await readFile(CATALOGUE))).toBe(true)
  })

  test('does not publish the same file twice', async () => {
    await using dir = await tempDir()
    const url = `file://${dir.path}/store`
    await runUploader(['publish', CATALOGUE, '--store', url])
    const again = await runUploader(['publish', CATALOGUE, '--store', url])
    expect(again).toMatchObject({ code: 0, stdout: '0000000000-0000000001\n' })
    expect(await manifestsIn(openStore(url))).toHaveLength(1)
  })

  test('refuses what is no whole snapshot, says why, and leaves nothing in the store', async () => {
    await using dir = await tempDir()
    const whole = await readFile(CATALOGUE)
    const flipped = Buffer.from(whole)
    flipped[500_000] = (flipped[500_000] as number) ^ 1
    const files: [string, Buffer, string][] = [
      ['truncated', whole.subarray(0, -1), 'SNAPSHOT_DAMAGED'],
      ['flipped', flipped, 'SNAPSHOT_DAMAGED'],
      ['text', Buffer.from('hello'), 'SNAPSHOT_FOREIGN'],
    ]
    const url = `file://${dir.path}/store`
    for (const [name, content, error] of files) {
      await writeFile(join(dir.path, name), content)
      const { code, stderr } = await runUploader(['publish', join(dir.path, name), '--store', url])
      expect(code).toBe(1)
      expect(stderr).toContain(`MEILI_HA_${error}`)
      expect(stderr).toContain('hint:')
    }
    expect(await openStore(url).list('')).toEqual([])
  })

  test('does not follow a link', async () => {
    await using dir = await tempDir()
    await symlink(CATALOGUE, join(dir.path, 'link'))
    const url = `file://${dir.path}/store`
    const { code, stderr } = await runUploader(['publish', join(dir.path, 'link'), '--store', url])
    expect(code).toBe(1)
    expect(stderr).toContain('is a link')
  })

  test('takes a tarball from another bucket path of the same endpoint', async () => {
    await using server = await startS3Server()
    await storeOn(server, { prefix: 'seed' }).put('latest.ms.snapshot', await readFile(CATALOGUE))
    const store = storeOn(server, { prefix: 'ha' })
    const { code, stderr } = await runUploader(
      ['publish', 's3://test-bucket/seed/latest.ms.snapshot', '--store', 's3://test-bucket/ha'],
      environmentOf(server),
    )
    expect(stderr).not.toContain('error')
    expect(code).toBe(0)
    expect(await manifestsIn(store)).toHaveLength(1)
  })

  test('has an exit code for each kind of failure', async () => {
    await using server = await startS3Server()
    const env = environmentOf(server)
    const args = ['publish', CATALOGUE, '--store']
    const wrongKey = { ...env, AWS_SECRET_ACCESS_KEY: 'wrong' }
    const nobody = { ...env, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' }
    const codes = await Promise.all([
      runUploader(['publish', CATALOGUE]),
      runUploader([...args, 'ftp://x']),
      runUploader([...args, 's3://no-such-bucket/x'], env),
      runUploader([...args, 's3://test-bucket/x'], wrongKey),
      runUploader([...args, 's3://test-bucket/x'], nobody),
      runUploader(['publish', '/no/such/file', '--store', 'file:///tmp/nowhere']),
    ])
    expect(codes.map(({ code }) => code)).toEqual([2, 2, 10, 10, 10, 10])
    for (const { stderr } of codes) {
      expect(stderr).not.toContain('wrong')
      expect(stderr).toContain('hint:')
    }
  })
})
