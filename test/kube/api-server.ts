import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { PolicyRule } from './access-rules.ts'
import { type ApiFault, ApiFaults } from './api-faults.ts'
import { operate } from './api-operations.ts'
import { ApiStatus, unauthorized } from './api-status.ts'
import { ObjectStore } from './object-store.ts'

/** One request as it came; `user` undefined = its token was not known. */
interface LoggedCall {
  method: string
  path: string
  user: string | undefined
  /** 0 = not answered. */
  status: number
  body: unknown
}

interface User {
  name: string
  rules: PolicyRule[] | 'all'
}

/**
 * An API server inside the test, for the calls that a keeper makes: real semantics of versions,
 * patches and rights, and faults on demand.
 */
export interface ApiServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  url: string
  objects: ObjectStore
  faults: ApiFaults
  calls: LoggedCall[]
  /** Connections that were ever made. */
  connections(): number
  /** From now on `token` is this user. */
  admit(token: string, user: User): void
  /** From now on `token` is answered with 401. */
  revoke(token: string): void
  /** `refuse`: every connection is reset; `black-hole`: none is answered, the open ones neither. */
  partition(how: 'refuse' | 'black-hole'): void
  heal(): void
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startApiServer(): Promise<ApiServer> {
  const state = { objects: new ObjectStore(), faults: new ApiFaults(), calls: [] as LoggedCall[] }
  const users = new Map<string, User>()
  const sockets = new Set<Socket>()
  let partition: 'refuse' | 'black-hole' | undefined
  let connections = 0

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  server.on('connection', (socket) => {
    connections++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    if (partition === 'refuse') socket.resetAndDestroy()
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const [method, path] = [request.method ?? '', url.pathname]
    const body = parseBody(await readAll(request))
    if (partition) return
    const user = users.get((request.headers.authorization ?? '').replace(/^Bearer /, ''))
    const call: LoggedCall = { method, path, user: user?.name, status: 0, body }
    state.calls.push(call)
    const fault = state.faults.take(method, path)
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'reset') return void request.socket.resetAndDestroy()
    const answer = answerOrStatus(() => {
      if (fault?.kind === 'status') throw new ApiStatus(fault.status, 'Fault', 'a fault')
      if (!user) throw unauthorized()
      const contentType = request.headers['content-type'] ?? ''
      const { rules } = user
      return operate(state.objects, {
        method,
        path,
        query: url.searchParams,
        contentType,
        body,
        rules,
      })
    })
    if (fault?.kind === 'lost-answer') return void request.socket.resetAndDestroy()
    call.status = fault?.kind === 'applied-but' ? fault.status : answer.status
    send(response, call.status, JSON.stringify(answer.body), fault)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    ...state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    admit: (token, user) => void users.set(token, user),
    revoke: (token) => void users.delete(token),
    partition: (how) => {
      partition = how
      if (how === 'refuse') sockets.forEach((socket) => socket.resetAndDestroy())
    },
    heal: () => {
      // What was sent into the hole never comes back.
      if (partition === 'black-hole') sockets.forEach((socket) => socket.resetAndDestroy())
      partition = undefined
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function parseBody(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text)
}

function answerOrStatus(act: () => { status: number; body: unknown }) {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof ApiStatus)) throw error
    return { status: error.code, body: error.toJson() }
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  fault: ApiFault | undefined,
): void {
  if (fault?.kind === 'nonsense') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Please log in</html>')
    return
  }
  response.writeHead(status, { 'content-type': 'application/json' })
  if (fault?.kind === 'short-body') {
    const half = body.slice(0, body.length >> 1)
    response.write(half, () => response.socket?.end())
    return
  }
  if (fault?.kind !== 'trickle') return void response.end(body)
  let sent = 0
  const timer = setInterval(() => response.write(body[sent++] ?? ' '), 50)
  response.once('close', () => clearInterval(timer))
}
