import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { which } from '../harness/meilisearch.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { cannotContain } from '../images/contained.ts'
import { readCompose } from './compose-file.ts'
import { Engine } from './engine.ts'

const KEY = 'compose-master-key-0123456789'
const NEEDED = ['/bin/busybox', '/usr/bin/tini', '/usr/sbin/haproxy', '/usr/sbin/ip']
const missing = NEEDED.filter((path) => !existsSync(path))
const why =
  cannotContain ??
  (missing.length > 0 ? `there is no ${missing.join(', ')}` : undefined) ??
  (process.getuid?.() === 0 ? undefined : 'only root may make networks')
if (why) console.warn(`SKIPPED: compose.yaml as processes: ${why}`)

/** A client of the router. */
function client(url: string) {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(5000),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`)
    return answer.json()
  }
  return {
    /** Adds one document, and waits until it is indexed. */
    add: async (id: number) => {
      const { taskUid } = (await call('POST', '/indexes/books/documents', [{ id }])) as {
        taskUid: number
      }
      await until(`document ${id} is indexed`, async () => {
        const { status } = (await call('GET', `/tasks/${taskUid}`)) as { status: string }
        return status === 'succeeded'
      })
      return true
    },
    ids: async () => {
      const path = '/indexes/books/documents?limit=100&fields=id'
      const { results } = (await call('GET', path)) as { results: { id: number }[] }
      return results.map(({ id }) => id).toSorted((a, b) => a - b)
    },
  }
}

const MEMBER = (name: string) => [name, `${name}-uploader`, `${name}-fetcher`, `${name}-keeper`]

// About 40 s on an idle machine: its polls and leases are those of the file, but for 5 s of lease.
test.skipIf(why)(
  `compose.yaml as processes with a ${which()}: both members, through the router, over a stop and a kill`,
  async () => {
    await using dir = await tempDir()
    const file = readCompose({
      MEILI_MASTER_KEY: KEY,
      MEILI_HA_EVERY: '2s',
      MEILI_HA_LEASE_DURATION: '5s',
    })
    await using engine = await Engine.create(file, dir.path)
    const patience = { timeoutMs: 60_000, everyMs: 100 }
    const wait = (what: string, probe: () => Promise<unknown>) =>
      until(what, probe, patience).catch((cause: unknown) => {
        throw new Error(engine.said(), { cause })
      })
    const answers = async (keeper: string, path: string) =>
      (await fetch(engine.url(keeper, 7713) + path)).status === 200
    await engine.up('router')
    const books = client(engine.url('router', 7700))
    await wait('the router takes a write', () => books.add(1))
    await wait('m2 serves', () => answers('m2-keeper', '/replica'))
    expect(await answers('m1-keeper', '/primary')).toBe(true)
    for (const name of [...MEMBER('m1'), 'router']) {
      expect({ name, code: await engine.health(name) }).toEqual({ name, code: 0 })
    }

    await books.add(2)
    await engine.stop('m1')
    await wait('m2 takes a write', () => books.add(3))
    expect(await answers('m2-keeper', '/primary')).toBe(true)
    // The router asks each member twice a second whether it serves reads.
    await wait('reads are routed', () => books.ids())
    expect(await books.ids()).toEqual([1, 2, 3])

    await engine.up('m1')
    await wait('m1 serves, level', async () => {
      return (await answers('m1-keeper', '/replica')) && (await books.ids()).length === 3
    })
    await wait('the third document is published', async () => {
      const status = await fetch(`${engine.url('m1', 7700)}/indexes/books/documents/3`, {
        headers: { authorization: `Bearer ${KEY}` },
      })
      return status.ok
    })
    await engine.kill(...MEMBER('m2'))
    await wait('m1 takes a write', () => books.add(4))
    expect(await answers('m1-keeper', '/primary')).toBe(true)
    await wait('reads are routed', () => books.ids())
    expect(await books.ids()).toEqual([1, 2, 3, 4])
  },
  180_000,
)
