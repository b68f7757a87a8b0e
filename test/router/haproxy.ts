import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { freePort } from '../harness/free-port.ts'
import { startProcess, type RunningProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'

const CONFIG = fileURLToPath(new URL('../../docker/haproxy.cfg', import.meta.url))

export interface Router extends AsyncDisposable {
  /** `HAProxy 2.6.12`, or what else it is. */
  name: string
  url: string
  /** What it said of members that came and went, for a test that failed. */
  said?: () => string
}

/** A member as a router sees it. */
export interface Routed {
  url: string
  keeperUrl: string
}

export function haproxyVersion(): string | undefined {
  try {
    const said = execFileSync('haproxy', ['-v'], { encoding: 'utf8' })
    return /version ([0-9.]+)/.exec(said)?.[1]
  } catch {
    return undefined
  }
}

/** The shipped configuration in a real HAProxy. */
export async function startHaproxy(members: readonly Routed[]): Promise<Router> {
  const [m1, m2] = members.map(({ url }) => new URL(url).host) as [string, string]
  const [k1, k2] = members.map(({ keeperUrl }) => new URL(keeperUrl).host) as [string, string]
  const port = await freePort()
  const haproxy: RunningProcess = startProcess({
    command: ['haproxy', '-db', '-f', CONFIG],
    env: {
      MEILI_HA_BIND: `127.0.0.1:${port}`,
      M1: m1,
      M2: m2,
      M1_KEEPER: k1,
      M2_KEEPER: k2,
      MEILI_HA_READ_LAG: '60s',
    },
  })
  const url = `http://127.0.0.1:${port}`
  await until('HAProxy listens', async () => {
    if (!haproxy.running()) throw new Error(haproxy.output())
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(1000) })).status > 0
  })
  return {
    name: `HAProxy ${haproxyVersion()}`,
    url,
    said: () => haproxy.output(),
    [Symbol.asyncDispose]: () => haproxy[Symbol.asyncDispose](),
  }
}
