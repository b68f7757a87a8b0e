import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ListenAddress } from '../cli/units.ts'
import type { MetricsRegistry } from './metrics.ts'

export interface Answer {
  status: number
  /** A string is sent as text, anything else as JSON. */
  body: unknown
}

export interface ServerOptions {
  listen: ListenAddress
  registry: Pick<MetricsRegistry, 'metrics'>
  /** Called before metrics are read, for gauges that depend on the time. */
  refresh?: () => void
  /** By path: `/healthz`, `/readyz`, `/status`, … Only GET, HEAD and OPTIONS reach them. */
  routes: Record<string, (url: URL) => Answer | Promise<Answer>>
}

export interface RunningServer {
  /** The port it really listens on; 0 = not listening. */
  port: number
  close(): Promise<void>
}

/** Serves `/metrics` and the given read-only routes. No HTTP verb changes anything. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { listen } = options
  if (listen === 'off') return { port: 0, close: async () => {} }
  const server = createServer({ requestTimeout: 5000, keepAliveTimeout: 5000 }, (req, res) => {
    answer(options, req)
      .catch(() => ({ status: 500, body: 'internal error' }))
      .then((reply) => send(req, res, reply))
      .catch(() => res.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen.port, listen.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(options: ServerOptions, req: IncomingMessage): Promise<Answer> {
  if (!['GET', 'HEAD', 'OPTIONS'].includes(req.method ?? '')) {
    return { status: 405, body: 'only GET, HEAD and OPTIONS' }
  }
  const url = new URL(req.url ?? '/', 'http://localhost')
  if (url.pathname === '/metrics') {
    options.refresh?.()
    return { status: 200, body: await options.registry.metrics() }
  }
  const route = Object.hasOwn(options.routes, url.pathname)
    ? options.routes[url.pathname]
    : undefined
  return route ? route(url) : { status: 404, body: 'not found' }
}

function send(req: IncomingMessage, res: ServerResponse, { status, body }: Answer): void {
  const text = typeof body === 'string' ? `${body}\n` : `${JSON.stringify(body)}\n`
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json'
  res.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
  res.end(req.method === 'HEAD' ? undefined : text)
}
