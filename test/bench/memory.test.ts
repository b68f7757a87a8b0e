import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bigSnapshot } from '../generate/big-snapshot.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { cliOf } from '../uploader/programs.ts'
import { measure } from './measure.ts'

const MIB = 1024 * 1024

/** Of each program, whatever the size of the snapshot; `pnpm bench` holds 4 GiB to it. */
const LIMIT = 160 * MIB

/** Ten seconds of both cores; they may be busy. */
const TIME = { timeout: 180_000 }

test('publishing and restoring 512 MiB takes at most 160 MiB of memory each', TIME, async () => {
  await using dir = await tempDir()
  await using server = await startS3Server()
  const snapshot = join(dir.path, 'big.snapshot')
  await bigSnapshot(snapshot, 512 * MIB)
  const env = { ...process.env, ...environmentOf(server) }
  const store = ['--store', `s3://${server.bucketName}/x`]
  const [node, out] = [process.execPath, join(dir.path, 'out')]
  const publish = [node, cliOf('uploader'), 'publish', snapshot, ...store] as const
  const restore = [node, cliOf('fetcher'), 'restore', ...store, '--data-dir', out] as const
  expect((await measure(publish, env)).peakBytes).toBeLessThanOrEqual(LIMIT)
  expect((await measure(restore, env)).peakBytes).toBeLessThanOrEqual(LIMIT)
})
