import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { sharedVolume, startColdMember, type ColdMember } from './cold-pair.ts'
import { leaseIn, leaseKeeper } from './keeper-cli.ts'

const LONG = { timeoutMs: 30_000, everyMs: 50 }

function leads(member: ColdMember): Promise<unknown> {
  const is = async () => (await member.route('/primary')) === 200
  return until(`${member.name} leads`, is, LONG).catch((cause: unknown) => {
    throw new Error(`${member.guard.output()}\n${member.keeper.output()}`, { cause })
  })
}

async function write({ url }: ColdMember, id: number): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify([{ id }])
  const path = `${url}/indexes/books/documents?primaryKey=id`
  expect((await fetch(path, { method: 'POST', headers, body })).status).toBe(202)
}

/** What was acknowledged may still have to be indexed by the one who leads now. */
async function finds({ name, url }: ColdMember, id: number): Promise<void> {
  const path = `${url}/indexes/books/documents/${id}`
  await until(`${name} finds ${id}`, async () => (await fetch(path)).status === 200, LONG)
}

test(
  'two members on one volume: one leads at a time, and the other finds every write',
  { timeout: 150_000 },
  async () => {
    await using root = await tempDir()
    const storeUrl = `file://${root.path}/store`
    const volume = await sharedVolume(root.path)
    await using m1 = await startColdMember(root.path, 'm1', volume, storeUrl)
    await leads(m1)
    await using m2 = await startColdMember(root.path, 'm2', volume, storeUrl)
    await write(m1, 1)

    // A frozen keeper: the guard ends the term by itself, and only then the other begins.
    await m1.keeper.freeze()
    await leads(m2)
    await finds(m2, 1)
    await write(m2, 2)
    m1.keeper.thaw()
    await until('m1 stands by', async () => (await m1.route('/primary')) === 503, LONG)

    const asked = await leaseKeeper(['switchover', ...leaseIn(storeUrl), '--to', 'm1'])
    expect(asked).toMatchObject({ code: 0 })
    expect(asked.stdout).toContain('m1 leads')
    await leads(m1)
    await finds(m1, 2)
    await write(m1, 3)

    await m1.powerOff()
    await leads(m2)
    await finds(m2, 3)
    expect(await readFile(volume.violations, 'utf8')).toBe('')
  },
)
