import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { ids, write } from './books.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { memberSettings, startMachine, waitUntil, type Machine } from './machine.ts'
import { follow, page } from './page.ts'

describe('in a cluster of two', () => {
  let stack: AsyncDisposableStack
  let store: string
  let search: Record<1 | 2 | 3, Machine>
  const settings = () => memberSettings(store)
  const started = async (number: 1 | 2 | 3) => {
    const machine = stack.use(await startMachine(`search-${number}`, settings()))
    for (const [peer, one] of Object.entries(search)) {
      machine.user.places.set(`http://search-${peer}:7700`, `http://${one.user.address(7700)}`)
    }
    return machine
  }

  beforeAll(async () => {
    stack = new AsyncDisposableStack()
    store = join(stack.use(await tempDir()).path, 'store')
    search = {} as never
    search[1] = await started(1)
    await search[1].startAll()
    search[2] = await started(2)
    await search[2].startAll()
    await waitUntil(search[1], '/primary')
    await write(search[1], 1, 2)
    await waitUntil(search[2], '/replica')
  }, 120_000)
  afterAll(() => stack.disposeAsync())

  test('replace a member', async () => {
    await using fresh = await startMachine('search-3', settings())
    const shells = { primary: search[1].user, new: fresh.user }
    await follow(page('runbooks/replace-a-member.md'), '## Steps', shells)
    expect(await search[1].route('/primary')).toBe(0)
    await follow(page('runbooks/replace-a-member.md'), '## Check', shells)
    expect(await ids(fresh)).toEqual([1, 2])
    await fresh.powerOff()
    await search[1].startAll()
    await waitUntil(search[1], '/replica')
  }, 60_000)

  test('diverged data', async () => {
    // search-2 leads; it dies with a write that nobody published.
    await search[2].freeze('meili-ha-uploader')
    await write(search[2], 3)
    await search[2].powerOff()
    await waitUntil(search[1], '/primary')
    await write(search[1], 4)
    expect(await ids(search[1])).toEqual([1, 2, 4])
    await search[2].startAll()
    await waitUntil(search[2], '/replica')
    const [name = ''] = (await readdir(search[2].data)).filter((one) => one.includes('diverged'))
    const { user } = search[2]
    user.places.set('data.ms.diverged-1-20261123T074929Z', name)
    user.places.set('data.ms.diverged-1-', name.replace(/[^-]*$/, ''))
    user.places.set('http://search-2:7700', `http://${search[1].user.address(7700)}`)
    const shells = { standby: user }
    await follow(page('runbooks/diverged-data.md'), '## Steps', shells)
    await until('it is there', async () => (await ids(search[1])).includes(3))
    await follow(page('runbooks/diverged-data.md'), '## Check', shells)
    expect((await readdir(search[2].data)).filter((one) => one.includes('diverged'))).toEqual([])
    expect(await ids(search[1])).toEqual([1, 2, 3, 4])
  }, 60_000)
})
