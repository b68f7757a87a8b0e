import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below what Linux gives to outgoing connections and to those who ask for any port (32768 to 60999,
 * net.ipv4.ip_local_port_range): a Meilisearch that stops for a swap must find its port free again.
 */
const FIRST = 16_000
const AFTER_LAST = 32_000

const given = new Set<number>()

/** A port of 127.0.0.1 on which nobody listened a moment ago, and that this process got only once. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, AFTER_LAST)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
