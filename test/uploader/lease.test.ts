import { copyFile, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { bigSnapshot } from '../generate/big-snapshot.ts'
import { until } from '../harness/until.ts'
import { publish } from '../fetcher/publish.ts'
import { treeOf, treeOfSnapshot } from '../fetcher/tree.ts'
import { environmentOf, storeOn } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { leasedMember, type LeasedMember } from './leased-member.ts'
import { FIXTURES, manifestsIn } from './programs.ts'

const FIRST = '0000000000-0000000001'
/** Time enough for what must not happen: the uploader looks every second. */
const A_MOMENT = 1500

async function place(fixture: string, { data }: LeasedMember): Promise<void> {
  const snapshots = join(data, 'snapshots')
  await mkdir(snapshots, { recursive: true })
  await copyFile(join(FIXTURES, fixture), join(snapshots, '.tmpAAAAAA'))
  await rename(join(snapshots, '.tmpAAAAAA'), join(snapshots, 'data.ms.snapshot'))
}

const fileStore = (dir: string) => `file://${dir}/store`

async function memberWithStore(): Promise<{ member: LeasedMember; store: Store }> {
  const member = await leasedMember(fileStore)
  const store = openStore(fileStore(join(member.data, '..')))
  await publish(store, join(FIXTURES, 'empty.snapshot'), { seq: 1 })
  return { member, store }
}

const idsIn = async (store: Store) => (await manifestsIn(store)).map(({ id }) => id)

const publishedAs = (store: Store, id: string): Promise<Manifest> =>
  until(`${id} is published`, async () =>
    (await manifestsIn(store)).find((manifest) => manifest.id === id),
  )

test('a term: claim, snapshots of this term alone, and the final of the stopped directory', async () => {
  const { member: it, store } = await memberWithStore()
  await using member = it
  await place('v1.37.snapshot', member)
  await using child = member.start()
  await member.permit('standby', 2)
  await member.promote(3, FIRST)
  expect(await publishedAs(store, '0000000003-0000000000')).toMatchObject({
    ...{ claim: { of: FIRST }, writer: 'm1' },
  })
  await member.permit('primary', 3)
  await sleep(A_MOMENT)
  expect(await idsIn(store), 'what lay there before the claim is not published').toHaveLength(2)

  await place('backlog.snapshot', member)
  const first = await publishedAs(store, '0000000003-0000000001')
  expect(first).toMatchObject({ epoch: 3, contents: { indexes: expect.any(Number) } })
  await until('it is noted', async () => (await member.noted()).newest?.id === first.id)
  expect((await member.noted()).nextSeq).toEqual({ epoch: 3, seq: 2 })

  await member.permit('stop', 3)
  await place('empty.snapshot', member)
  await sleep(A_MOMENT)
  expect(await idsIn(store), 'without a permit nothing is published').toHaveLength(3)

  await member.ha.writeLine('want', 'final 3')
  await sleep(500)
  expect(await idsIn(store), 'nor a final while Meilisearch runs').toHaveLength(3)
  member.guard('stopped')
  const final = await publishedAs(store, '0000000003-0000000002')
  expect(final.final).toBe(true)
  const { final: noted } = await until('the keeper is told', async () => {
    const note = await member.noted()
    return note.final && note
  })
  expect(noted).toEqual({ epoch: 3, id: final.id, tarball: final.object?.sha256 })
  const tarball = join(member.data, 'final.tar.gz')
  await writeFile(tarball, (await store.get(final.object?.key ?? '')).body)
  const live = await treeOf(join(member.data, 'data.ms'))
  // LMDB makes its lock files anew; they stay behind.
  const kept = Object.entries(live).filter(([name]) => !name.endsWith('lock.mdb'))
  expect(await treeOfSnapshot(tarball)).toEqual(Object.fromEntries(kept))
  expect(child.running()).toBe(true)
})

test('killed in its term, it goes on where it was, and still leaves out what is too old', async () => {
  const { member: it, store } = await memberWithStore()
  await using member = it
  await place('v1.37.snapshot', member)
  {
    await using child = member.start()
    await member.promote(3, FIRST)
    await child.kill()
  }
  await member.permit('primary', 3)
  await using child = member.start()
  await child.waitFor(/watch\.started/)
  await sleep(A_MOMENT)
  expect(await idsIn(store)).toHaveLength(2)
  await place('backlog.snapshot', member)
  await publishedAs(store, '0000000003-0000000001')
})

test('told to end as primary, it stays until the final is published', async () => {
  const { member: it, store } = await memberWithStore()
  await using member = it
  await using child = member.start()
  await member.promote(3, FIRST)
  await member.permit('primary', 3)
  process.kill(child.pid, 'SIGTERM')
  await sleep(A_MOMENT)
  expect(child.running()).toBe(true)
  await member.permit('stop', 3)
  member.guard('stopped')
  await sleep(300)
  await member.ha.writeLine('want', 'final 3')
  expect(await child.exited).toEqual({ code: 0, signal: null })
  expect((await manifestsIn(store))[0]).toMatchObject({ epoch: 3, final: true })
})

test('told to end just after the keeper ended its term, it stays all the same', async () => {
  const { member: it, store } = await memberWithStore()
  await using member = it
  await using child = member.start()
  await member.promote(3, FIRST)
  await member.permit('stop', 3)
  member.guard('stopped')
  process.kill(child.pid, 'SIGTERM')
  await sleep(A_MOMENT)
  await member.ha.writeLine('want', 'final 3')
  expect(await child.exited).toEqual({ code: 0, signal: null })
  expect((await manifestsIn(store))[0]).toMatchObject({ epoch: 3, final: true })
})

test('told to end as standby, it ends', async () => {
  const { member: it } = await memberWithStore()
  await using member = it
  await using child = member.start()
  await member.permit('standby', 2)
  await child.waitFor(/uploader\.started/)
  expect(await child.kill('SIGTERM')).toEqual({ code: 0, signal: null })
})

test('an upload that hangs neither delays the next claim nor is carried into that epoch', async () => {
  await using server = await startS3Server()
  const env = environmentOf(server)
  await using member = await leasedMember(() => 's3://test-bucket/x', env)
  const store = storeOn(server, { prefix: 'x' })
  await publish(store, join(FIXTURES, 'empty.snapshot'), { seq: 1 })
  await using child = member.start()
  await member.promote(3, FIRST)
  await member.permit('primary', 3)
  server.faults.add({ kind: 'hang' }, { op: 'UploadPart', times: Infinity })
  const file = join(member.data, 'big')
  await bigSnapshot(file, 20_000_000)
  await mkdir(join(member.data, 'snapshots'), { recursive: true })
  await rename(file, join(member.data, 'snapshots/data.ms.snapshot'))
  await until('the upload hangs', () => server.count('UploadPart') > 0)

  await member.permit('standby', 5)
  await member.promote(5, '0000000003-0000000000')
  server.faults.clear()
  await member.permit('primary', 5)
  await sleep(A_MOMENT)
  expect(await idsIn(store)).toEqual(['0000000005-0000000000', '0000000003-0000000000', FIRST])
  expect(child.output()).not.toContain('snapshot.failed')
})
