import { randomInt } from 'node:crypto'
import { createServer, type ListenOptions } from 'node:net'

/**
 * Below what Linux gives to outgoing connections and to those who ask for any port (32768 to 60999,
 * net.ipv4.ip_local_port_range): a Meilisearch that stops for a swap must find its port free again.
 */
const FIRST = 16_000
const AFTER_LAST = 32_000

/**
 * A port of 127.0.0.1 on which nobody listened a moment ago, and that no other test gets before this
 * process ends: a program that is killed must find its port free when it is started again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, AFTER_LAST)
    if ((await reserve(port)) && (await isFree(port))) return port
  }
}

/** The kernel keeps a name for whoever listens on it (an abstract socket), and drops it with the process. */
function reserve(port: number): Promise<boolean> {
  return listens({ path: `\0meili-ha-test-port-${port}` }, 'stays')
}

function isFree(port: number): Promise<boolean> {
  return listens({ host: '127.0.0.1', port }, 'closes')
}

function listens(where: ListenOptions, then: 'stays' | 'closes'): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .unref()
      .once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') resolve(false)
        else reject(error)
      })
    server.listen(where, () => {
      if (then === 'closes') server.close(() => resolve(true))
      else resolve(true)
    })
  })
}
