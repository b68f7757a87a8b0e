import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { caddyVersion, startCaddy } from './caddy.ts'
import { haproxyVersion, startHaproxy, type Routed, type Router } from './haproxy.ts'
import { startSmallRouter } from './small-router.ts'

/** A member that answers with its name, and a keeper that says what the test wants. */
interface Fake extends Routed, AsyncDisposable {
  role: 'primary' | 'standby' | 'out'
  /** Of its data; the keeper compares it with what a router accepts. */
  lagSeconds: number
  /** Its keeper answers only so late. */
  slowMs: number
  /** So many of each question to its keeper come to nothing, as when a packet is lost. */
  lost: number
  /** `METHOD /path` of what reached it. */
  seen: string[]
  /** How often its keeper said "I don't lead". */
  denials: number
  /** Ends its Meilisearch with all that is under way, as the guard does with a demoted primary's. */
  stop(): void
  /** Starts it again where it was. */
  restart(): Promise<void>
}

const listen = async (server: Server, host: string, port = 0): Promise<string> => {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve)
  })
  return `http://${host}:${(server.address() as AddressInfo).port}`
}

async function fakeMember(
  name: string,
  role: Fake['role'],
  host: string,
  keeperPort?: number,
): Promise<Fake> {
  const meilisearch = createServer((req, res) => {
    if (req.url !== '/health') fake.seen.push(`${req.method} ${req.url}`)
    // One that never ends: what happens to it when the primary is demoted?
    if (req.url === '/indexes/slow/documents' && req.method === 'POST') return
    res.writeHead(200, { 'content-type': 'text/plain' }).end(name)
  })
  const lost = new Map<string, number>()
  const keeper = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://localhost')
    const already = lost.get(pathname) ?? 0
    lost.set(pathname, Math.min(already + 1, fake.lost))
    const answer = () => {
      const fresh = fake.lagSeconds <= Number.parseInt(searchParams.get('lag') ?? '1000', 10)
      const yes = pathname === '/primary' ? fake.role === 'primary' : fake.role !== 'out' && fresh
      if (pathname === '/primary' && !yes) fake.denials++
      res.writeHead(yes ? 200 : 503).end()
    }
    if (already < fake.lost) req.socket.destroy()
    else if (fake.slowMs > 0) setTimeout(answer, fake.slowMs)
    else answer()
  })
  const stop = (server: Server) => {
    server.close()
    server.closeAllConnections()
  }
  const fake: Fake = {
    role,
    lagSeconds: 0,
    slowMs: 0,
    lost: 0,
    seen: [],
    denials: 0,
    keeperUrl: await listen(keeper, host, keeperPort),
    url: await listen(meilisearch, host),
    stop: () => stop(meilisearch),
    restart: async () => void (await listen(meilisearch, host, Number(new URL(fake.url).port))),
    [Symbol.asyncDispose]: async () => [meilisearch, keeper].forEach(stop),
  }
  return fake
}

/** Two hosts, as it were: their keepers have the same port, as in a cluster. */
async function twoMembers(): Promise<{ m1: Fake; m2: Fake } & AsyncDisposable> {
  const m1 = await fakeMember('m1', 'primary', '127.0.0.1')
  const port = Number(new URL(m1.keeperUrl).port)
  const m2 = await fakeMember('m2', 'standby', '127.0.0.2', port)
  return {
    ...{ m1, m2 },
    [Symbol.asyncDispose]: async () => {
      await m1[Symbol.asyncDispose]()
      await m2[Symbol.asyncDispose]()
    },
  }
}

async function ask(router: Router, method: string, path: string): Promise<string> {
  const signal = AbortSignal.timeout(5000)
  const answer = await fetch(router.url + path, { method, signal })
  return answer.ok ? answer.text() : String(answer.status)
}

const WRITES = [
  ['POST', '/indexes/a/documents'],
  ['PUT', '/indexes/a/documents'],
  ['DELETE', '/indexes/a'],
  ['POST', '/indexes/a/documents/delete-batch'],
  ['PATCH', '/indexes/a/settings'],
  ['POST', '/snapshots'],
  ['POST', '/keys'],
  ['GET', '/tasks/1'],
  ['GET', '/indexes/a/settings'],
] as const

const READS = [
  ['POST', '/indexes/a/search'],
  ['POST', '/multi-search'],
  ['POST', '/indexes/a/facet-search'],
  ['POST', '/indexes/a/similar'],
  ['POST', '/indexes/a/documents/fetch'],
  ['GET', '/indexes/a/search?q=x'],
  ['GET', '/indexes/a/documents/7'],
] as const

interface Kind {
  name: string
  start: (members: readonly Routed[]) => Promise<Router>
  /** Why it can't be tested here. */
  skip?: string | undefined
  /** Whether it ends by itself what is under way on a demoted primary. */
  cuts: boolean
  /** Whether it holds a write until there is a primary, instead of refusing it. */
  holds: boolean
  /** Whether it takes nobody for the primary before his keeper has said so. */
  asksFirst: boolean
}

const haproxy = haproxyVersion()
const kinds: Kind[] = [
  {
    ...{ name: 'HAProxy', start: startHaproxy, cuts: true, holds: false },
    skip: haproxy === undefined ? 'HAProxy is not installed' : undefined,
    // init-state came with 3.1.
    asksFirst: Number.parseFloat(haproxy ?? '0') >= 3.1,
  },
  {
    ...{ name: 'Caddy', start: startCaddy, cuts: false, holds: true, asksFirst: true },
    skip: caddyVersion() === undefined ? 'Caddy is not installed' : undefined,
  },
  { name: 'the small router', start: startSmallRouter, cuts: true, holds: false, asksFirst: true },
]
for (const { name, skip, asksFirst } of kinds) {
  if (skip) console.warn(`SKIPPED: ${skip}; its configuration is not tested`)
  else if (!asksFirst) console.warn(`SKIPPED: ${name} ${haproxy} knows no init-state`)
}

const leads = async (router: Router, name: string) =>
  until(`${name} leads`, async () => (await ask(router, 'GET', '/tasks')) === name)

describe.each(kinds)('$name', ({ start, skip, cuts, holds, asksFirst }) => {
  test.skipIf(skip)('sends writes to the primary alone, reads to both', async () => {
    await using members = await twoMembers()
    const { m1, m2 } = members
    await using router = await start([m1, m2])
    await leads(router, 'm1')
    for (const [method, path] of WRITES) expect(await ask(router, method, path)).toBe('m1')
    for (const [method, path] of READS) {
      const answers = new Set([await ask(router, method, path), await ask(router, method, path)])
      expect(answers).toEqual(new Set(['m1', 'm2']))
    }
    const written = m2.seen.filter((line) =>
      WRITES.some(([verb, path]) => line === `${verb} ${path}`),
    )
    expect(written).toEqual([])
  })

  test.skipIf(skip)('reads only from members whose lag is acceptable', async () => {
    await using members = await twoMembers()
    const { m1, m2 } = members
    await using router = await start([m1, m2])
    await leads(router, 'm1')
    m2.lagSeconds = 61
    const answers = async () => {
      const all: string[] = []
      for (let turn = 0; turn < 4; turn++) all.push(await ask(router, 'POST', '/indexes/a/search'))
      return all
    }
    await until('m2 is out', async () => !(await answers()).includes('m2'))
    expect(await answers()).toEqual(['m1', 'm1', 'm1', 'm1'])
  })

  test.skipIf(skip).each([
    ['answers late', { slowMs: 800 }],
    ['misses one question', { lost: 1 }],
  ])('a keeper that %s, while the standby swaps, costs no read and no task', async (_, trouble) => {
    await using members = await twoMembers()
    const { m1, m2 } = members
    await using router = await start([m1, m2])
    await leads(router, 'm1')
    m2.role = 'out'
    const read = () => ask(router, 'POST', '/multi-search')
    await until('m2 is out', async () => (await read()) === 'm1' && (await read()) === 'm1')
    Object.assign(m1, trouble)
    const answers = new Set<string>()
    const end = performance.now() + 2500
    while (performance.now() < end) {
      answers.add(await read()).add(await ask(router, 'GET', '/tasks'))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(answers).toEqual(new Set(['m1']))
  })

  test.skipIf(skip || holds)('answers 503 to writes while nobody leads, and follows', async () => {
    await using members = await twoMembers()
    const { m1, m2 } = members
    await using router = await start([m1, m2])
    await leads(router, 'm1')
    m1.role = 'out'
    await until('nobody leads', async () => (await ask(router, 'GET', '/tasks')) === '503')
    expect(await ask(router, 'POST', '/indexes/a/search')).toBe('m2')
    m2.role = 'primary'
    await leads(router, 'm2')
  })

  test.skipIf(skip || !holds)('holds writes while nobody leads, and follows', async () => {
    await using members = await twoMembers()
    const { m1, m2 } = members
    await using router = await start([m1, m2])
    await leads(router, 'm1')
    m1.role = 'out'
    const write = (timeoutMs: number) => {
      const signal = AbortSignal.timeout(timeoutMs)
      return fetch(`${router.url}/indexes/a/documents`, { method: 'POST', body: '[]', signal })
    }
    // What comes before Caddy knows is refused by the keeper itself.
    await until('writes are held', () =>
      write(400).then(
        () => false,
        () => true,
      ),
    )
    const held = write(10_000)
    await until('reads go on', async () => (await ask(router, 'POST', '/multi-search')) === 'm2')
    expect([...m1.seen, ...m2.seen]).not.toContain('POST /indexes/a/documents')
    m2.role = 'primary'
    expect(await (await held).text()).toBe('m2')
    await leads(router, 'm2')
    expect(m1.seen).not.toContain('POST /indexes/a/documents')
  })

  test.skipIf(skip || !asksFirst)('sends no write to a standby as it starts', async () => {
    await using members = await twoMembers()
    const { m1, m2 } = members
    Object.assign(m1, { role: 'standby', slowMs: 300 })
    m2.slowMs = 600
    await using router = await start([m1, m2])
    const writes = Array.from({ length: 10 }, () => {
      const signal = AbortSignal.timeout(900)
      return fetch(`${router.url}/indexes/a/documents`, {
        method: 'POST',
        body: '[]',
        signal,
      }).catch(() => undefined)
    })
    await Promise.all(writes)
    expect([...m1.seen, ...m2.seen]).not.toContain('POST /indexes/a/documents')
  })

  test.skipIf(skip)('ends what is under way on a primary that is demoted', async () => {
    await using members = await twoMembers()
    const { m1, m2 } = members
    await using router = await start([m1, m2])
    await leads(router, 'm1')
    const ended = new Promise<string>((resolve) => {
      const req = request(`${router.url}/indexes/slow/documents`, { method: 'POST' })
      req.once('error', () => resolve('cut'))
      req.once('response', (res) => resolve(String(res.statusCode)))
      req.end('[]')
    })
    await until('it is under way', () => m1.seen.includes('POST /indexes/slow/documents'))
    m1.role = 'out'
    m2.role = 'primary'
    // Else the guard does, which stops that Meilisearch.
    if (!cuts) m1.stop()
    expect(['cut', '502', '503']).toContain(await ended)
    await leads(router, 'm2')
    // Nor is it sent again: it may have been taken.
    expect(m2.seen).not.toContain('POST /indexes/slow/documents')
  })

  // About 3 s: HAProxy's own pause before it tries the same server again is 1 s.
  test.skipIf(skip)('tries no write again on a former primary that now is a standby', async () => {
    await using members = await twoMembers()
    const { m1, m2 } = members
    await using router = await start([m1, m2])
    await leads(router, 'm1')
    m1.seen.length = 0
    m1.denials = 0
    m1.role = 'out'
    m1.stop()
    const writes: Promise<unknown>[] = []
    const write = () => {
      const signal = AbortSignal.timeout(5000)
      const body = { method: 'POST', body: '[]', signal }
      writes.push(fetch(`${router.url}/indexes/a/documents`, body).catch(() => undefined))
    }
    await until('the router hears it', () => {
      write()
      return m1.denials > 0
    })
    // The next check comes after the answer to the one before it was taken in.
    await until('the router knows it', () => m1.denials > 1)
    m1.role = 'standby'
    await m1.restart()
    m2.role = 'primary'
    await Promise.all(writes)
    await leads(router, 'm2')
    expect(m1.seen).not.toContain('POST /indexes/a/documents')
  })
})
