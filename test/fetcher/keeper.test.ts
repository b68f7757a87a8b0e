import { execFileSync } from 'node:child_process'
import { readdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readLineage } from '@meili-ha/core/data-dir/lineage.ts'
import { manifestKey } from '@meili-ha/core/catalog/names.ts'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { flipBit } from '../s3-server/faults.ts'
import { tempDir, type TempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { makeSnapshots } from './make-snapshots.ts'
import { claim, publish } from './publish.ts'
import { get, startStandby, type Standby } from './standby.ts'

let made: TempDir
let FIRST: string
let SECOND: string
let THIRD: string
beforeAll(async () => {
  made = await tempDir()
  ;[FIRST, SECOND, THIRD] = (await makeSnapshots(made.path, 3)) as [string, string, string]
})
afterAll(() => made[Symbol.asyncDispose]())

/** What a lease-keeper would write. */
async function permit({ ha }: Standby, role: 'standby' | 'stop', epoch: number): Promise<void> {
  await ha.writeLine('permit', `${role} ${epoch} - - ${systemBootClock.bootId()}`)
}

async function want(member: Standby, line: string): Promise<void> {
  await member.ha.writeLine('want', line)
}

const acknowledged = (member: Standby, line: string) =>
  until(`${line} is acknowledged`, async () => {
    const sync = await member.sync()
    if (sync.failed?.want === line) throw new Error(sync.failed.message)
    return sync.acknowledged === line
  })

const refused = (member: Standby, line: string) =>
  until(`${line} is refused`, async () => {
    const { failed } = await member.sync()
    return failed?.want === line ? failed.message : undefined
  })

const lineageOf = (member: Standby) => readLineage(join(member.data, 'data.ms'))
const serves = (member: Standby) =>
  until('Meilisearch serves', async () => (await get(`${member.url}/health`)).status === 200)

async function following(epoch: number, file: string): Promise<Standby> {
  const member = await startStandby({
    keeper: true,
    prepare: async (store) => {
      const base = await publish(store, FIRST, { seq: 1 })
      if (epoch > 0) await claim(store, base, epoch, 'm1')
      await publish(store, file, { epoch, seq: epoch > 0 ? 1 : 2 })
    },
  })
  await permit(member, 'standby', epoch)
  await want(member, `follow ${epoch}`)
  await acknowledged(member, `follow ${epoch}`)
  await serves(member)
  return member
}

describe('fetcher follow beside a keeper', () => {
  test('asks for a swap, and waits until it is told', async () => {
    await using member = await following(1, SECOND)
    const { id } = await publish(member.store, THIRD, { epoch: 1, seq: 2 })
    await until('it asks', async () => (await member.sync()).asksSwap === id)
    expect((await lineageOf(member))?.snapshotId).toBe('0000000001-0000000001')
    await want(member, `swap ${id}`)
    await acknowledged(member, `swap ${id}`)
    expect((await lineageOf(member))?.snapshotId).toBe(id)
    expect(await member.sync()).toMatchObject({ asksSwap: null, lagSeconds: 0 })
    await serves(member)
  })

  test('finishes what it has prepared before it begins with what is newer', async () => {
    await using member = await following(1, SECOND)
    const { id } = await publish(member.store, THIRD, { epoch: 1, seq: 2 })
    await until('it asks', async () => (await member.sync()).asksSwap === id)
    // Published faster than a keeper takes a member out of the read routing, for three polls.
    const asked = new Set<string | null>()
    for (let seq = 3; seq <= 5; seq++) {
      const newer = await publish(member.store, seq % 2 ? FIRST : THIRD, { epoch: 1, seq })
      await until('it is seen', async () => {
        const sync = await member.sync()
        asked.add(sync.asksSwap)
        return sync.newest === newer.id
      })
      for (const from = performance.now(); performance.now() - from < 300;) {
        asked.add((await member.sync()).asksSwap)
      }
    }
    expect([...asked]).toEqual([id])
    await want(member, `swap ${id}`)
    await acknowledged(member, `swap ${id}`)
    await want(member, 'follow 1')
    await until('it asks for the newest', async () =>
      (await member.sync()).asksSwap?.endsWith('0000000005'),
    )
  })

  test('can lead with what it holds when all that is newer is damaged', async () => {
    await using member = await following(1, SECOND)
    await member.fetcher.freeze()
    const { object } = await publish(member.store, THIRD, { epoch: 1, seq: 2 })
    const { body } = await member.store.get(object!.key)
    await member.store.put(object!.key, flipBit(body))
    member.fetcher.thaw()
    await member.fetcher.waitFor(/part 0 is not what was published/)
    // What a failed attempt leaves behind is gone with the next listing.
    const { listedAt } = await member.sync()
    const listings = async () => (await member.sync()).listedAt! > listedAt! + 100
    await until('it has listed again', listings)
    expect(await member.sync()).toMatchObject({ ready: true, reason: null })
    await want(member, 'promote 2')
    await acknowledged(member, 'promote 2')
    expect((await member.sync()).claim).toEqual({ epoch: 2, of: '0000000001-0000000001' })
  })

  test('names the manifest that keeps it out, and what to do does it', async () => {
    await using member = await following(1, SECOND)
    const id = '0000000001-0000000002'
    await member.store.put(manifestKey(id), '{"format": 1, "id')
    const reason = await until('it is not ready', async () => (await member.sync()).reason)
    expect(reason).toMatch(`the store holds nothing good: ${id} can't be restored`)
    expect(reason).toContain('start that member')
    const [, remove = ''] = /or remove (\S+)/.exec(reason) ?? []
    await member.store.delete(remove)
    await until('it is ready', async () => (await member.sync()).ready)
    await want(member, 'promote 2')
    await acknowledged(member, 'promote 2')
  })

  test('is promoted only when it is level with what is newest now', async () => {
    await using member = await following(1, SECOND)
    const { id } = await publish(member.store, THIRD, { epoch: 1, seq: 2 })
    await want(member, 'promote 2')
    await acknowledged(member, 'promote 2')
    expect(await lineageOf(member)).toMatchObject({
      snapshotId: id,
      primaryIn: [],
      claim: { epoch: 2, of: id },
    })
    await want(member, 'lead 2')
    await acknowledged(member, 'lead 2')
    expect(await lineageOf(member)).toMatchObject({ primaryIn: [2] })
    expect(await member.ha.readLine('data')).toBe(`ready ${id}`)
  })

  test('decides a claim once, whatever is published or killed afterwards', async () => {
    await using member = await following(1, SECOND)
    await want(member, 'promote 2')
    await acknowledged(member, 'promote 2')
    const decided = (await lineageOf(member))?.claim
    await member.fetcher.kill()
    await publish(member.store, THIRD, { epoch: 1, seq: 2 })
    member.restartFetcher()
    await until('it is the new one', async () => (await member.sync()).newest?.endsWith('2'))
    await acknowledged(member, 'promote 2')
    expect((await lineageOf(member))?.claim).toEqual(decided)
  })

  test('does not lead without a claim', async () => {
    await using member = await following(1, SECOND)
    await want(member, 'lead 2')
    expect(await refused(member, 'lead 2')).toContain('no claim of epoch 2')
    expect((await lineageOf(member))?.primaryIn).toEqual([])
  })

  test('notes the final snapshot, and is no divergence then', async () => {
    await using member = await following(1, SECOND)
    await want(member, 'promote 2')
    await acknowledged(member, 'promote 2')
    await want(member, 'lead 2')
    await acknowledged(member, 'lead 2')
    await permit(member, 'stop', 2)
    await want(member, 'final 2')
    const final = { epoch: 2, id: '0000000002-0000000001', tarball: 'f'.repeat(64) }
    await member.ha.writeJson('published.json', {
      ...{ writtenAt: 1, bootId: 'b', newest: null, nextSeq: null, claimed: 2, failed: null },
      ...{ final, progress: 1, bytesPerSecond: null },
    })
    await acknowledged(member, 'final 2')
    expect(await lineageOf(member)).toMatchObject({
      snapshotId: final.id,
      tarball: final.tarball,
      primaryIn: [],
      claim: null,
    })
  })

  test('a former primary that others followed on is set aside, never overwritten', async () => {
    await using member = await following(1, SECOND)
    await want(member, 'promote 2')
    await acknowledged(member, 'promote 2')
    await want(member, 'lead 2')
    await acknowledged(member, 'lead 2')
    const claimed = await claim(member.store, await newestOf(member), 3, 'm3')
    await publish(member.store, THIRD, { epoch: 3, seq: 1 })
    await want(member, 'follow 3')
    const id = '0000000003-0000000001'
    await until('it asks', async () => (await member.sync()).asksSwap === id)
    await want(member, `swap ${id}`)
    await acknowledged(member, `swap ${id}`)
    const names = await readdir(member.data)
    expect(names.filter((name) => name.startsWith('data.ms.diverged-2-'))).toHaveLength(1)
    expect(await lineageOf(member)).toMatchObject({ snapshotId: id, primaryIn: [] })
    expect(claimed.epoch).toBe(3)
  })

  test('begins empty only when it is promoted, and then says so in the lineage', async () => {
    await using member = await startStandby({ keeper: true })
    await permit(member, 'standby', 0)
    await want(member, 'follow 0')
    await until('it waits', async () => (await member.sync()).uninitialised)
    expect(await member.sync()).toMatchObject({ waitsForFirst: true, decided: false })
    expect(await member.ha.readLine('data')).toBeUndefined()
    await want(member, 'promote 1')
    await acknowledged(member, 'promote 1')
    expect((await member.sync()).claim).toEqual({ epoch: 1, of: null })
    await claim(member.store, null, 1, 'm2')
    await want(member, 'lead 1')
    await acknowledged(member, 'lead 1')
    await serves(member)
    await until('the lineage is written', async () => await lineageOf(member))
    expect(await lineageOf(member)).toMatchObject({
      clusterId: 'cluster-of-tests',
      snapshotId: null,
      primaryIn: [1],
    })
  })
})

async function newestOf(member: Standby) {
  const { body } = await member.store.get('snapshots/0000000001-0000000001.json')
  return JSON.parse(body.toString()) as Awaited<ReturnType<typeof publish>>
}

describe('fetcher follow when things are missing', () => {
  test('refuses a promotion while the store is away, and goes on once it is back', async () => {
    await using member = await following(1, SECOND)
    await publish(member.store, THIRD, { epoch: 1, seq: 2 })
    const files = join(member.dir, 'store')
    await rename(files, `${files}.away`)
    await symlink(files, files)
    await want(member, 'promote 2')
    expect(await refused(member, 'promote 2')).toContain('LIST')
    await rm(files)
    await rename(`${files}.away`, files)
    await acknowledged(member, 'promote 2')
    expect((await lineageOf(member))?.claim).toMatchObject({
      epoch: 2,
      of: '0000000001-0000000002',
    })
  })

  test('has its directory archived, stopped, when nothing published holds it', async () => {
    await using member = await following(1, SECOND)
    const { object } = await newestOf(member)
    await member.store.delete(object?.key as string)
    await want(member, 'promote 2')
    await acknowledged(member, 'promote 2')
    expect((await member.sync()).claim).toEqual({
      epoch: 2,
      of: '0000000001-0000000001',
      archive: true,
    })
    expect(await member.ha.readLine('data')).toMatch(/^closed /)
    expect(await member.ha.readLine('guard')).toMatch(/^stopped /)
    await want(member, 'lead 2')
    await acknowledged(member, 'lead 2')
    expect(await member.ha.readLine('data')).toBe('ready 0000000001-0000000001')
    await serves(member)
  })

  test('a keeper that asks again for a claim that was archived does not stop what serves', async () => {
    await using member = await following(1, SECOND)
    const { object } = await newestOf(member)
    await member.store.delete(object?.key as string)
    await want(member, 'promote 2')
    await acknowledged(member, 'promote 2')
    await want(member, 'lead 2')
    await acknowledged(member, 'lead 2')
    const now = systemBootClock.now()
    await member.ha.writeLine(
      'permit',
      `primary 2 ${now + 10_000} ${now + 11_000} ${systemBootClock.bootId()}`,
    )
    await serves(member)
    await want(member, 'promote 2')
    await acknowledged(member, 'promote 2')
    expect(await member.ha.readLine('data')).toBe('ready 0000000001-0000000001')
    // A primary's guard would wait for its drain.
    await permit(member, 'stop', 2)
  })

  test('opens again when a promotion that closed it is given up', async () => {
    await using member = await following(1, SECOND)
    const { object } = await newestOf(member)
    await member.store.delete(object?.key as string)
    await want(member, 'promote 2')
    await acknowledged(member, 'promote 2')
    await want(member, 'follow 2')
    await acknowledged(member, 'follow 2')
    await serves(member)
  })

  test('an empty beginning is noted as soon as there is a directory, not with the next poll', async () => {
    await using member = await startStandby({ keeper: true, args: ['--poll', '10m'] })
    await permit(member, 'standby', 0)
    await want(member, 'promote 1')
    await acknowledged(member, 'promote 1')
    await claim(member.store, null, 1, 'm2')
    await want(member, 'lead 1')
    await acknowledged(member, 'lead 1')
    await serves(member)
    await until('the lineage is written', async () => await lineageOf(member))
    expect((await lineageOf(member))?.primaryIn).toEqual([1])
  })

  test('adopts a directory only when it begins the cluster with it', async () => {
    await using member = await startStandby({ keeper: true })
    execFileSync('mkdir', ['-p', join(member.data, 'data.ms')])
    execFileSync('tar', ['-xzf', FIRST, '-C', join(member.data, 'data.ms')])
    await permit(member, 'standby', 0)
    await want(member, 'follow 0')
    await until('it waits', async () => (await member.sync()).uninitialised)
    expect(await lineageOf(member)).toBeUndefined()
    await want(member, 'promote 1')
    await acknowledged(member, 'promote 1')
    expect((await lineageOf(member))?.claim).toEqual({ epoch: 1, of: null, archive: true })
    expect(await member.ha.readLine('guard')).toMatch(/^stopped /)
  })
})
