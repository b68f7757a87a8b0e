import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { MeilisearchClient, type MeilisearchClientOptions } from './client.ts'
import { isLate } from './request.ts'

const KEY = 'a-secret-key-0123456789'

/** An answer that a real Meilisearch gave. */
function captured(name: string): { status: number; body: unknown } {
  const path = `../../../../test/fixtures/http-${name}.json`
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as never
}

async function clientOf(
  listener: RequestListener,
  options: Partial<MeilisearchClientOptions> = {},
) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => server.close().closeAllConnections())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return new MeilisearchClient({ url, apiKey: async () => KEY, timeoutMs: 2000, ...options })
}

/** A server that gives one captured answer to everything, and notes what it was asked. */
async function answering(name: string, options: Partial<MeilisearchClientOptions> = {}) {
  const { status, body } = captured(name)
  const asked: { request: string; authorization: string | undefined }[] = []
  const client = await clientOf((request, response) => {
    const { method, url, headers } = request
    asked.push({ request: `${method} ${url}`, authorization: headers.authorization })
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }, options)
  return { client, asked }
}

describe('what a real Meilisearch answered is understood', () => {
  test('health, without sending the key', async () => {
    const { client, asked } = await answering('health')
    await client.health()
    expect(asked).toEqual([{ request: 'GET /health', authorization: undefined }])
  })

  test('version, newest task, snapshot tasks, and a request for a snapshot', async () => {
    expect(await (await answering('version')).client.version()).toBe('1.50.0')
    const newest = await answering('tasks-limit1')
    expect(await newest.client.newestTask()).toMatchObject({ uid: 9, type: 'snapshotCreation' })
    expect(newest.asked).toEqual([
      { request: 'GET /tasks?limit=1', authorization: `Bearer ${KEY}` },
    ])
    const snapshots = await answering('tasks-snapshotCreation')
    const tasks = await snapshots.client.snapshotTasks({ statuses: ['succeeded'], limit: 3 })
    expect(tasks.map((task) => task.uid)).toEqual([9, 0])
    expect(snapshots.asked[0]?.request).toBe(
      'GET /tasks?limit=3&types=snapshotCreation&statuses=succeeded',
    )
    expect(await (await answering('post-snapshots')).client.createSnapshot()).toBe(0)
  })

  test('tasks that are still under way', async () => {
    const { results, next } = await (await answering('tasks-after-backlog')).client.tasks()
    expect(results.map((task) => task.status)).toContain('processing')
    expect(next).toBe(31)
  })

  test('an empty queue has no newest task', async () => {
    const client = await clientOf((_, response) =>
      response.end('{"results":[],"total":0,"limit":1,"from":null,"next":null}'),
    )
    expect(await client.newestTask()).toBeUndefined()
  })

  test.each([
    ['401', 'missing_authorization_header'],
    ['403', 'invalid_api_key'],
  ])('%s names the action that is missing', async (name, remoteCode) => {
    const { client } = await answering(name)
    await expect(client.createSnapshot()).rejects.toMatchObject({
      code: 'MEILI_HA_MEILI_DENIED',
      message: expect.stringContaining('the action snapshots.create') as string,
      remoteCode,
    })
    await expect(client.newestTask()).rejects.toThrow('the action tasks.get on indexes *')
  })
})

describe('whatever else happens is an error of the table, without the key', () => {
  test.each<[string, RequestListener, string]>([
    ['garbage', (_, response) => response.end('<html>'), 'MEILI_FAILED'],
    ['the wrong JSON', (_, response) => response.end('{"results":7}'), 'MEILI_FAILED'],
    ['a 500', (_, response) => response.writeHead(500).end(), 'MEILI_FAILED'],
    [
      'a redirect',
      (_, response) => response.writeHead(302, { location: '/x' }).end(),
      'MEILI_FAILED',
    ],
    ['no answer', () => {}, 'MEILI_UNREACHABLE'],
    [
      'a body that never ends',
      (_, response) => void response.writeHead(200).write('{"results":['),
      'MEILI_UNREACHABLE',
    ],
    [
      'a body without end',
      (_, response) => void response.writeHead(200).write('x'.repeat(17 * 1024 * 1024)),
      'MEILI_UNREACHABLE',
    ],
    [
      'a cut connection',
      (request, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('{')
        setImmediate(() => request.socket.destroy())
      },
      'MEILI_UNREACHABLE',
    ],
  ])('%s', async (_, listener, code) => {
    const client = await clientOf(listener, { timeoutMs: 300 })
    const error = await client.newestTask().catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: `MEILI_HA_${code}` })
    expect(JSON.stringify([error, (error as Error).message, (error as Error).cause])).not.toContain(
      KEY,
    )
  })

  test('nobody listening', async () => {
    const client = new MeilisearchClient({ url: 'http://user:pass@127.0.0.1:1' })
    await expect(client.health()).rejects.toMatchObject({
      code: 'MEILI_HA_MEILI_UNREACHABLE',
      message: 'no Meilisearch at http://127.0.0.1:1: ECONNREFUSED',
    })
  })

  test('nothing in time is told from a refusal: a busy machine does it too', async () => {
    const listeners: Parameters<typeof clientOf>[0][] = [
      () => {},
      (_, response) => void response.writeHead(200).write('{'),
    ]
    for (const listener of listeners) {
      const late = await clientOf(listener, { timeoutMs: 50 })
      expect(isLate(await late.health().catch((error: unknown) => error))).toBe(true)
    }
    const refused = new MeilisearchClient({ url: 'http://127.0.0.1:1' })
    expect(isLate(await refused.health().catch((error: unknown) => error))).toBe(false)
  })

  test('an abort from outside is no outage', async () => {
    const client = await clientOf(() => {}, { signal: AbortSignal.timeout(50) })
    await expect(client.health()).rejects.toMatchObject({ code: 'MEILI_HA_CANCELLED' })
  })

  test('a URL that is none', () => {
    for (const url of ['meilisearch:7700', 'nonsense', '']) {
      expect(() => new MeilisearchClient({ url })).toThrow('--meili-url must start with http://')
    }
  })
})

test('a path in the URL is kept, with or without a slash at its end', async () => {
  for (const path of ['/search', '/search/']) {
    const seen: (string | undefined)[] = []
    const server = createServer((request, response) => {
      seen.push(request.url)
      response.end('{"status":"available"}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => server.close().closeAllConnections())
    const { port } = server.address() as AddressInfo
    await new MeilisearchClient({ url: `http://127.0.0.1:${port}${path}` }).health()
    expect(seen).toEqual(['/search/health'])
  }
})
