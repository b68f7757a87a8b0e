import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bigSnapshot } from '../generate/big-snapshot.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { environmentOf, storeOn } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { manifestsIn, uploader } from './programs.ts'

const MIB = 1024 * 1024

describe('an uploader that is stopped in the middle of an upload', () => {
  test.each([
    ['SIGTERM', 0],
    ['SIGKILL', null],
  ] as const)(
    'sends only the missing parts when it is started again: %s',
    async (signal, exitCode) => {
      await using dir = await tempDir()
      await using server = await startS3Server()
      await mkdir(join(dir.path, 'snapshots'))
      await bigSnapshot(join(dir.path, 'new'), 36 * MIB)
      await rename(join(dir.path, 'new'), join(dir.path, 'snapshots/data.ms.snapshot'))
      const start = () =>
        uploader(
          ['run', '--store', 's3://test-bucket/x', '--data-dir', dir.path, '--listen', 'off'],
          {
            ...environmentOf(server),
            MEILI_HA_MEILI_URL: 'http://127.0.0.1:9',
          },
        )
      const partsTaken = () =>
        server.requests.filter(({ op, status }) => op === 'UploadPart' && status === 200).length

      server.faults.add({ kind: 'hang' }, { op: 'UploadPart', after: 3, times: Infinity })
      {
        await using child = start()
        await until('three parts are there', () => partsTaken() === 3)
        expect((await child.kill(signal)).code).toBe(exitCode)
      }
      expect(server.bucket.uploads.size).toBe(1)
      server.faults.clear()

      await using child = start()
      const store = storeOn(server, { prefix: 'x' })
      const [manifest] = await until('it is published', async () => {
        const found = await manifestsIn(store)
        return found.length > 0 && found
      })
      await child.kill('SIGTERM')
      expect(manifest?.object?.parts).toHaveLength(5)
      expect(partsTaken()).toBe(5)
      expect(server.count('CreateMultipartUpload')).toBe(1)
      expect(server.bucket.uploads.size).toBe(0)
    },
  )
})
