import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { startMeilisearch } from '../harness/meilisearch.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { ended, write } from '../stand-in/sandbox.ts'
import { manifestsIn, runUploader } from '../uploader/programs.ts'
import { MASTER_KEY, startMember, type Member } from './member.ts'

const LONG = { timeoutMs: 30_000, everyMs: 50 }

const has = async (member: Member, id: number) =>
  (await member.call('GET', `/indexes/books/documents/${id}`)).status === 200

function waitFor(what: string, members: Member[], probe: () => Promise<boolean>): Promise<unknown> {
  return until(what, probe, LONG).catch((cause: unknown) => {
    throw new Error(members.map((member) => member.said()).join('\n'), { cause })
  })
}

const leads = (member: Member) => async () => (await member.route('/primary')) === 200
const follows = (member: Member) => async () => (await member.route('/replica')) === 200

/**
 * The directory of a Meilisearch that has run alone so far, with one document; with backups, a second
 * one that came after the last of them.
 */
async function dataOf(root: string, backups?: { storeUrl: string; member: string }) {
  const dbPath = join(root, 'before', 'data.ms')
  const snapshotDir = join(root, 'before', 'snapshots')
  await using meilisearch = await startMeilisearch({ dbPath, snapshotDir, masterKey: MASTER_KEY })
  const path = '/indexes/books/documents?primaryKey=id'
  await ended(meilisearch, await write(meilisearch, 'POST', path, [{ id: 1 }]))
  if (backups) {
    await ended(meilisearch, await write(meilisearch, 'POST', '/snapshots'))
    const to = ['--store', backups.storeUrl, '--member', backups.member]
    const file = join(snapshotDir, 'data.ms.snapshot')
    const { code, stderr } = await runUploader(['publish', file, ...to])
    if (code !== 0) throw new Error(stderr)
    await ended(meilisearch, await write(meilisearch, 'POST', path, [{ id: 2 }]))
  }
  await meilisearch.kill('SIGTERM')
  return dbPath
}

test('a Meilisearch with data is adopted by the bootstrap member alone, and restored by the other', async () => {
  await using root = await tempDir()
  const before = await dataOf(root.path)
  const storeUrl = `file://${root.path}/store`
  const store = openStore(storeUrl)
  const start = async (name: string) => {
    const dir = join(root.path, name)
    const flags = { uploader: ['--every', '1s', '--max-duty', '100%'] }
    return startMember({ name, dir, storeUrl, bootstrap: 'm1', flags })
  }
  // The other comes first, and waits: an empty beginning now would lose what m1 has.
  await using m2 = await start('m2')
  await m2.parts.fetcher.waitFor(/waits for the first snapshot/)
  await m2.parts.keeper.waitFor(/not_standing.*bootstrap member/)
  expect(await manifestsIn(store)).toEqual([])

  await cp(before, join(root.path, 'm1', 'data', 'data.ms'), { recursive: true })
  await using m1 = await start('m1')
  await waitFor('m1 leads', [m1, m2], leads(m1))
  expect(await has(m1, 1)).toBe(true)
  const claim = (await manifestsIn(store)).find(({ seq }) => seq === 0)
  expect(claim).toMatchObject({ epoch: 1, writer: 'm1', claim: { of: null } })
  expect(claim?.object?.size).toBeGreaterThan(0)
  await waitFor('m2 follows', [m1, m2], follows(m2))
  expect(await has(m2, 1)).toBe(true)
})

test('a Meilisearch with backups leads first, with what came after them, though the other was ready before', async () => {
  await using root = await tempDir()
  const storeUrl = `file://${root.path}/store`
  const before = await dataOf(root.path, { storeUrl, member: 'm1' })
  const start = (name: string) =>
    startMember({ name, dir: join(root.path, name), storeUrl, bootstrap: 'm1' })
  // As in a roll-out, which restarts the first pod last: until then it takes writes without a lease.
  await using m2 = await start('m2')
  await waitFor('m2 follows', [m2], follows(m2))
  await m2.parts.keeper.waitFor(/not_standing.*bootstrap member/)

  await cp(before, join(root.path, 'm1', 'data', 'data.ms'), { recursive: true })
  await using m1 = await start('m1')
  await waitFor('m1 leads', [m1, m2], leads(m1))
  expect(await has(m1, 2)).toBe(true)
  const writers = (await manifestsIn(openStore(storeUrl))).map(({ writer }) => writer)
  expect(new Set(writers)).toEqual(new Set(['m1']))
})
