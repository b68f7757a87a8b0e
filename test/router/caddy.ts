import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { freePort } from '../harness/free-port.ts'
import { startProcess } from '../harness/process.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import type { Routed, Router } from './haproxy.ts'

const CONFIG = fileURLToPath(new URL('../../docker/Caddyfile', import.meta.url))

export function caddyVersion(): string | undefined {
  try {
    // A build by `go install` says `unknown`.
    return execFileSync('caddy', ['version'], { encoding: 'utf8' }).trim().split(' ')[0]
  } catch {
    return undefined
  }
}

/** The shipped configuration in a real Caddy; the keepers' port must be the same on all hosts. */
export async function startCaddy(members: readonly Routed[]): Promise<Router> {
  await using stack = new AsyncDisposableStack()
  const host = (url: string) => new URL(url).host
  const [m1, m2] = members as [Routed, Routed]
  const port = await freePort()
  const home = stack.use(await tempDir())
  const caddy = stack.use(
    startProcess({
      command: ['caddy', 'run', '--adapter', 'caddyfile', '--config', CONFIG],
      env: {
        ...{ HOME: home.path, XDG_CONFIG_HOME: home.path, XDG_DATA_HOME: home.path },
        ...{ MEILI_HA_HOST: '127.0.0.1', MEILI_HA_PORT: String(port) },
        ...{ M1: host(m1.url), M2: host(m2.url) },
        ...{ M1_KEEPER: host(m1.keeperUrl), M2_KEEPER: host(m2.keeperUrl) },
        MEILI_HA_KEEPER_PORT: new URL(m1.keeperUrl).port,
        MEILI_HA_READ_LAG: '60s',
      },
    }),
  )
  const url = `http://127.0.0.1:${port}`
  await until('Caddy listens', async () => {
    if (!caddy.running()) throw new Error(caddy.output())
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(1000) })).status > 0
  })
  const owned = stack.move()
  return { name: `Caddy ${caddyVersion()}`, url, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
