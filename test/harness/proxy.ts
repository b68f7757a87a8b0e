import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/**
 * How a network can fail. `refuse`: connections are reset, new ones at once. `black-hole`: bytes
 * vanish in both directions and nobody is told. `trickle`: what comes back comes a byte at a time.
 */
export type Partition = 'refuse' | 'black-hole' | 'trickle'

/** A TCP proxy on 127.0.0.1: one member's way to a server, that can be cut for it alone. */
export interface Proxy extends AsyncDisposable {
  port: number
  partition(how: Partition): void
  /** Works again; connections that were cut stay dead, as bytes of theirs are lost. */
  heal(): void
}

const TRICKLE_MS = 50

/** @param target a port of `host` */
export async function startProxy(target: number, host = '127.0.0.1'): Promise<Proxy> {
  let how: Partition | undefined
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    keep(client)
    if (how === 'refuse') {
      client.resetAndDestroy()
      return
    }
    const upstream = connect(target, host)
    keep(upstream)
    client.on('data', (bytes) => {
      if (how !== 'black-hole') upstream.write(bytes)
    })
    upstream.on('data', (bytes: Buffer) => {
      if (how === undefined) client.write(bytes)
      if (how === 'trickle') trickle(client, bytes)
    })
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => {
      if (how === undefined) client.end()
    })
  })
  const cut = () => sockets.forEach((socket) => socket.resetAndDestroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    partition: (next) => {
      how = next
      if (next === 'refuse') cut()
    },
    heal: () => {
      how = undefined
      cut()
    },
    [Symbol.asyncDispose]: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function trickle(client: Socket, bytes: Buffer): void {
  let sent = 0
  const timer = setInterval(() => {
    if (sent === bytes.length) return clearInterval(timer)
    client.write(bytes.subarray(sent, ++sent))
  }, TRICKLE_MS)
  client.once('close', () => clearInterval(timer))
}
