import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { until } from '../harness/until.ts'
import { haproxyVersion, startHaproxy, type Routed, type Router } from './haproxy.ts'
import { startSmallRouter } from './small-router.ts'

/** A member that answers with its name, and a keeper that says what the test wants. */
interface Fake extends Routed, AsyncDisposable {
  role: 'primary' | 'standby' | 'out'
  /** `METHOD /path` of what reached it. */
  seen: string[]
}

async function fakeMember(name: string, role: Fake['role']): Promise<Fake> {
  const listen = async (server: Server) => {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const meilisearch = createServer((req, res) => {
    if (req.url !== '/health') fake.seen.push(`${req.method} ${req.url}`)
    // One that never ends: what happens to it when the primary is demoted?
    if (req.url === '/indexes/slow/documents' && req.method === 'POST') return
    res.writeHead(200, { 'content-type': 'text/plain' }).end(name)
  })
  const keeper = createServer((req, res) => {
    const path = req.url?.split('?')[0]
    const yes = path === '/primary' ? fake.role === 'primary' : fake.role !== 'out'
    res.writeHead(yes ? 200 : 503).end()
  })
  const fake: Fake = {
    role,
    seen: [],
    url: await listen(meilisearch),
    keeperUrl: await listen(keeper),
    [Symbol.asyncDispose]: async () => {
      for (const server of [meilisearch, keeper]) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
  return fake
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

const kinds = [
  ['HAProxy', startHaproxy, haproxyVersion() === undefined],
  ['the small router', startSmallRouter, false],
] as const
if (kinds[0][2]) console.warn('SKIPPED: HAProxy is not installed; its configuration is not tested')

describe.each(kinds)('%s', (_name, start, skip) => {
  test.skipIf(skip)('sends writes to the primary alone, reads to both', async () => {
    await using m1 = await fakeMember('m1', 'primary')
    await using m2 = await fakeMember('m2', 'standby')
    await using router = await start([m1, m2])
    await until('it knows the primary', async () => (await ask(router, 'GET', '/tasks')) === 'm1')
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

  test.skipIf(skip)('follows the role, and answers 503 to writes while nobody leads', async () => {
    await using m1 = await fakeMember('m1', 'primary')
    await using m2 = await fakeMember('m2', 'standby')
    await using router = await start([m1, m2])
    await until('m1 leads', async () => (await ask(router, 'GET', '/tasks')) === 'm1')
    m1.role = 'out'
    await until('nobody leads', async () => (await ask(router, 'GET', '/tasks')) === '503')
    expect(await ask(router, 'POST', '/indexes/a/search')).toBe('m2')
    m2.role = 'primary'
    await until('m2 leads', async () => (await ask(router, 'GET', '/tasks')) === 'm2')
  })

  test.skipIf(skip)('ends what is under way on a primary that is demoted', async () => {
    await using m1 = await fakeMember('m1', 'primary')
    await using m2 = await fakeMember('m2', 'standby')
    await using router = await start([m1, m2])
    await until('m1 leads', async () => (await ask(router, 'GET', '/tasks')) === 'm1')
    const ended = new Promise<string>((resolve) => {
      const req = request(`${router.url}/indexes/slow/documents`, { method: 'POST' })
      req.once('error', () => resolve('cut'))
      req.once('response', (res) => resolve(String(res.statusCode)))
      req.end('[]')
    })
    await until('it is under way', () => m1.seen.includes('POST /indexes/slow/documents'))
    m1.role = 'out'
    expect(['cut', '502', '503']).toContain(await ended)
  })
})
