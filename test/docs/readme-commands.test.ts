import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startMeilisearch, type RunningMeilisearch } from '../harness/meilisearch.ts'
import { until } from '../harness/until.ts'
import { blocksOf, readme, type Block } from './markdown.ts'
import { newUser, type NewUser } from './new-user.ts'

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

test('the steps, one after the other, lead from a plain Meilisearch to a lease', async () => {
  await using user = await newUser()
  let services = new AsyncDisposableStack()
  await using all = new AsyncDisposableStack()
  all.defer(() => services.disposeAsync())
  const follow = async (heading: string): Promise<string> => {
    let said = ''
    for (const block of tested(heading)) {
      if (block.info === 'sh test=service') services.use(user.start(block.text))
      else if (block.info !== 'sh test=backed-out') said += await succeed(user, block)
    }
    return said
  }

  const primary = await startPrimary(user)
  services.use(primary)
  const documents = Array.from({ length: 50 }, (_, id) => ({ id, title: `Book ${id}` }))
  await primary.call('POST', '/indexes/books/documents', documents)
  await until('the books are indexed', async () => (await books(primary)) === 50)

  expect(await follow('### 1. ')).toContain('0000000000-0000000001')

  const [rehearsal, restore] = tested('### 2. ') as [Block, Block]
  expect(restore.info).toBe('sh test=meilisearch-stopped')
  await succeed(user, rehearsal)
  await primary.kill()
  await rm(join(user.env['MEILI_HA_DATA_DIR'] ?? '', 'data.ms'), { recursive: true })
  expect(await succeed(user, restore)).toMatch(/^restored 0000000000-/)
  const healed = await startPrimary(user)
  services.use(healed)
  expect(await books(healed)).toBe(50)

  const stats = await follow('### 3. ')
  expect(stats).toMatch(/"books":\{[^}]*"numberOfDocuments":50/)

  await services.disposeAsync()
  services = new AsyncDisposableStack()
  await rm(user.memory, { recursive: true })
  const checked = await follow('### 4. ')
  expect(checked).toMatch(/cluster search: \S+ leads, epoch 1/)
  expect(await books(healed)).toBe(50)

  await services.disposeAsync()
  services = new AsyncDisposableStack()
  const plain = await startPrimary(user)
  services.use(plain)
  expect(await books(plain)).toBe(50)
  const [backOut] = tested('### 4. ').filter(({ info }) => info === 'sh test=backed-out')
  expect(await succeed(user, backOut!)).toContain('0000000000-0000000001')
}, 240_000)
