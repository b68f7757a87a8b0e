import { copyFile, mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { REAL_CLOCK } from '@meili-ha/core/store/deadline.ts'
import { openStoreLease } from '@meili-ha/lease-keeper/lease/open-store-lease.ts'
import { StoreStatements } from '@meili-ha/lease-keeper/members/store-statements.ts'
import { bigSnapshot } from '../generate/big-snapshot.ts'
import { startProgram } from '../harness/process.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { HELD, STATED } from '../lease/held.ts'
import { environmentOf, storeOn } from '../s3-server/s3-server-store.ts'
import type { S3Server } from '../s3-server/s3-server.ts'
import { cliOf, FIXTURES } from '../uploader/programs.ts'

const STORE = 's3://test-bucket/search'

const start = (server: S3Server, program: 'uploader' | 'fetcher', args: readonly string[]) =>
  startProgram(cliOf(program), [...args, '--store', STORE], {
    env: { ...environmentOf(server), MEILI_HA_MEILI_URL: 'http://127.0.0.1:9' },
  })

/** Runs it to its end; its exit code isn't judged, since `check` finds no Meilisearch here. */
async function run(server: S3Server, program: 'uploader' | 'fetcher', args: readonly string[]) {
  await using child = start(server, program, args)
  await child.exited
}

/** An uploader's life: it is killed and goes on, old snapshots and forgotten uploads are removed. */
async function uploader(server: S3Server): Promise<void> {
  await using dir = await tempDir()
  const snapshots = join(dir.path, 'snapshots')
  await mkdir(snapshots)
  await bigSnapshot(join(snapshots, 'data.ms.snapshot'), 20_000_000)
  const args = [
    ...['run', '--data-dir', dir.path, '--listen', 'off', '--member', 'a'],
    ...['--keep-last', '1', '--keep-daily', '0', '--sweep-grace', '500ms'],
  ]
  server.bucket.begin('search/snapshots/0000000000-0000000007-20260101T000000Z.snapshot', {})
  server.faults.add({ kind: 'hang' }, { op: 'UploadPart', after: 1, times: 10 })
  {
    await using child = start(server, 'uploader', args)
    await until('it is in the middle', () => server.count('UploadPart') >= 2)
    await child.kill('SIGKILL')
  }
  server.faults.clear()
  await using child = start(server, 'uploader', args)
  for (const [name, seen] of [
    ['catalogue', /"id":"0000000000-0000000008"/],
    ['backlog', /retention\.pruned/],
  ] as const) {
    await child.waitFor(seen)
    // Longer than the grace, on the uploader's own clock.
    await sleep(600)
    await copyFile(join(FIXTURES, `${name}.snapshot`), join(snapshots, '.tmpAAAAAA'))
    await rename(join(snapshots, '.tmpAAAAAA'), join(snapshots, 'data.ms.snapshot'))
  }
  await until('all is removed', () =>
    ['AbortMultipartUpload', 'DeleteObject'].every((op) => server.count(op) > 0),
  )
  await run(server, 'uploader', ['check'])
}

/** Everything that reads. */
async function fetcher(server: S3Server): Promise<void> {
  await using dir = await tempDir()
  await run(server, 'fetcher', ['list'])
  await run(server, 'fetcher', ['verify', '--all'])
  await run(server, 'fetcher', ['restore', '--data-dir', join(dir.path, 'data')])
  await run(server, 'fetcher', ['check'])
}

/** A lease in the store: proven, taken, renewed, stated. */
async function keeper(server: S3Server): Promise<void> {
  const store = storeOn(server, { prefix: 'search' })
  try {
    const lease = await openStoreLease(store, { timeoutMs: 5000, clock: REAL_CLOCK })
    const { version } = await lease.create(HELD)
    await lease.update({ ...HELD, renewals: HELD.renewals + 1 }, version)
    await lease.read()
    const statements = new StoreStatements(store)
    await statements.state(STATED)
    await statements.readAll()
  } finally {
    store.close()
  }
}

export const JOBS = { uploader, fetcher, 'lease-keeper': keeper }
