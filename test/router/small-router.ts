import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Routed, Router } from './haproxy.ts'

const CHECK_MS = 250

/** Where HAProxy isn't installed: the same routing, for the demo alone. */
export async function startSmallRouter(members: readonly Routed[]): Promise<Router> {
  const targets = members.map((member) => ({
    ...member,
    primary: false,
    reads: false,
    agent: new Agent({ keepAlive: true }),
  }))
  type Target = (typeof targets)[number]
  let turn = 0

  // Who was in is asked twice before he is out: one question that got lost says nothing.
  const still = async (target: Target, was: boolean, path: string) =>
    (await says(target, path)) || (was && (await says(target, path)))
  const check = async (target: Target) => {
    target.reads = await still(target, target.reads, '/read-only?lag=60s')
    const primary = await still(target, target.primary, '/primary')
    if (target.primary && !primary) {
      // Sessions to a demoted primary are closed.
      target.agent.destroy()
      target.agent = new Agent({ keepAlive: true })
    }
    target.primary = primary
  }
  const timer = setInterval(() => targets.forEach((target) => void check(target)), CHECK_MS)
  await Promise.all(targets.map(check))

  const server = createServer((req, res) => {
    const able = targets.filter((each) => (isRead(req) ? each.reads : each.primary))
    const target = able[turn++ % Math.max(1, able.length)]
    if (target) forward(target, req, res)
    else res.writeHead(503).end()
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    name: 'a small router of the demo (HAProxy is not installed)',
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      server.close()
      server.closeAllConnections()
      for (const { agent } of targets) agent.destroy()
    },
  }
}

async function says({ keeperUrl }: Routed, path: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(1000)
    return (await fetch(keeperUrl + path, { method: 'HEAD', signal })).status === 200
  } catch {
    return false
  }
}

function isRead({ method = '', url = '' }: IncomingMessage): boolean {
  const path = url.split('?')[0] ?? ''
  const search = /^\/indexes\/[^/]+\/(search|facet-search|similar|documents\/fetch)$/.test(path)
  if (method === 'POST') return search || path === '/multi-search'
  return /^\/indexes\/[^/]+\/(search|similar|documents(\/[^/]+)?)$|^\/health$/.test(path)
}

function forward(
  { url, agent }: Routed & { agent: Agent },
  req: IncomingMessage,
  res: ServerResponse,
) {
  const { method = 'GET', headers } = req
  const out = request(new URL(req.url ?? '/', url), { method, headers, agent }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(res)
  })
  out.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(503).end()))
  req.pipe(out)
}
