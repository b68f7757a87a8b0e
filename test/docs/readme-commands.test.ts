import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startMeilisearch, type RunningMeilisearch } from '../harness/meilisearch.ts'
import type { RunningProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import { blocksOf, readme, type Block } from './markdown.ts'
import { newUser, type NewUser } from './new-user.ts'
import { stillRunning } from './still-running.ts'

const PATIENCE = { timeoutMs: 30_000, everyMs: 50 }

const shell = blocksOf(readme()).filter(({ info }) => /^sh\b/.test(info))

/** The blocks of one section. */
function section(heading: string): Block[] {
  const [before = '', rest] = readme().split(`\n${heading}`)
  if (rest === undefined) throw new Error(`there is no section ${heading}`)
  const from = before.split('\n').length
  const to = from + (rest.split(/\n#{2,3} /)[0] ?? '').split('\n').length
  return shell.filter(({ line }) => line > from && line <= to)
}

const tested = (heading: string) => section(heading).filter(({ info }) => info !== 'sh')

async function succeed(user: NewUser, { text, line }: Block): Promise<string> {
  const { code, stdout, output } = await user.run(text)
  expect(code, `README.md line ${line}:\n${text}\n${output}`).toBe(0)
  return stdout
}

async function startPrimary(user: NewUser): Promise<RunningMeilisearch> {
  return startMeilisearch({
    dbPath: join(user.env['MEILI_HA_DATA_DIR'] ?? '', 'data.ms'),
    masterKey: user.env['MEILI_MASTER_KEY'] ?? '',
    port: Number(user.address(7700).split(':')[1]),
  })
}

const books = async (meilisearch: RunningMeilisearch): Promise<unknown> => {
  const { body } = await meilisearch.call('GET', '/indexes/books/stats')
  return (body as { numberOfDocuments?: number }).numberOfDocuments
}

test('only what sets up a machine, and what shows where things are, is not run here', () => {
  const untested = shell.filter(({ info }) => info === 'sh').map(({ text }) => text.split('\n')[0])
  expect(untested).toEqual(['npx pnpm@12 demo', expect.stringMatching(/^export MEILI_MASTER_KEY=/)])
  const run = ['## See it', '### 1. ', '### 2. ', '### 3. ', '### 4. ']
  expect(run.flatMap(tested)).toEqual(shell.filter(({ info }) => info !== 'sh'))
})

test('the first look needs no Meilisearch', async () => {
  await using user = await newUser({ settled: false })
  for (const block of tested('## See it')) await succeed(user, block)
})

test('the steps, one after the other, lead from a plain Meilisearch to a lease, and back', async () => {
  await using user = await newUser()
  await using stack = new AsyncDisposableStack()
  const services = new Set<RunningProcess>()
  stack.defer(async () => {
    for (const service of services) await service[Symbol.asyncDispose]()
  })
  const follow = async (heading: string): Promise<string> => {
    let said = ''
    for (const block of tested(heading)) {
      if (block.info === 'sh test=service') services.add(user.start(block.text))
      else if (block.info !== 'sh test=backed-out') said += await succeed(user, block)
    }
    return said
  }
  /** As a service manager does; what doesn't end by itself fails the test. */
  const stopServices = async () => {
    for (const { pid } of services) process.kill(-pid, 'SIGTERM')
    await until('all services have ended', () => stillRunning(user).length === 0, PATIENCE)
    services.clear()
  }
  const backOut = async (heading: string): Promise<string> => {
    const [block] = tested(heading).filter(({ info }) => info === 'sh test=backed-out')
    return succeed(user, block!)
  }
  let plain: RunningMeilisearch
  /** Meilisearch as it always ran, with nothing of ours beside it. */
  const startPlain = async (documents: number) => {
    plain = stack.use(await startPrimary(user))
    expect(await books(plain)).toBe(documents)
    expect(stillRunning(user)).toEqual([])
  }
  const write = async (from: number, to: number) => {
    const ids = Array.from({ length: to - from }, (_, index) => from + index)
    const documents = ids.map((id) => ({ id, title: `Book ${id}` }))
    await plain.call('POST', '/indexes/books/documents', documents)
    await until(`${to} books are indexed`, async () => (await books(plain)) === to, PATIENCE)
  }

  plain = stack.use(await startPrimary(user))
  await write(0, 50)
  expect(await follow('### 1. ')).toContain('0000000000-0000000001')

  await write(50, 51)
  await stopServices()
  await backOut('### 1. ')
  const { body } = await plain.call('GET', '/keys')
  expect(JSON.stringify(body)).not.toContain('meili-ha')
  await plain.kill()
  await startPlain(51)
  // And in again: the bucket goes on where it was.
  expect(await follow('### 1. ')).toContain('0000000000-0000000001')
  await stopServices()

  const [rehearsal, restore] = tested('### 2. ') as [Block, Block]
  expect(restore.info).toBe('sh test=meilisearch-stopped')
  await succeed(user, rehearsal)
  await plain.kill()
  await rm(join(user.env['MEILI_HA_DATA_DIR'] ?? '', 'data.ms'), { recursive: true })
  expect(await succeed(user, restore)).toMatch(/^restored 0000000000-/)
  await startPlain(51)

  await write(51, 52)
  await backOut('### 2. ')
  await plain.kill()
  await startPlain(52)

  const stats = await follow('### 3. ')
  expect(stats).toMatch(/"books":\{[^}]*"numberOfDocuments":51/)
  await stopServices()
  await backOut('### 3. ')
  expect(await readdir(user.cwd)).toEqual(['meili-ha.key', 'test'])
  await write(52, 53)
  await plain.kill()
  await startPlain(53)

  await plain.kill()
  const checked = await follow('### 4. ')
  expect(checked).toMatch(/cluster search: \S+ leads, epoch 1/)

  await stopServices()
  await startPlain(53)
  expect(await backOut('### 4. ')).toContain('0000000000-0000000001')
}, 240_000)
