import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { startProcess, type RunningProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import { cliOf } from '../uploader/programs.ts'
import { REPO } from './markdown.ts'
import { newUser, type NewUser } from './new-user.ts'

/** A member's machine as the runbooks take it to be: a file of settings, four units, and a person at its shell. */
export interface Machine extends AsyncDisposable {
  name: string
  user: NewUser
  data: string
  /** What `systemctl` does there. */
  systemctl(verb: string, units: readonly string[]): Promise<void>
  startAll(): Promise<void>
  /** Its program stands still: it neither acts nor answers. */
  freeze(unit: string): Promise<void>
  /** As when it loses its power. */
  powerOff(): Promise<void>
  /** The status of a route of its lease-keeper; 0 when nobody answers. */
  route(path: string): Promise<number>
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  said(): string
}

const KEY = 'runbook-master-key-0123456789'

/** What /etc/meili-ha.env says on each member of the cluster that the runbooks are about. */
export const memberSettings = (store: string): Record<string, string> => ({
  MEILI_MASTER_KEY: KEY,
  MEILI_HA_API_KEY: KEY,
  MEILI_HA_STORE: `file://${store}`,
  MEILI_HA_CLUSTER: 'search',
  MEILI_HA_LEASE: 'store',
  MEILI_HA_LEASE_DURATION: '5s',
  MEILI_HA_EVERY: '1s',
  MEILI_HA_MAX_DUTY: '100%',
  MEILI_HA_BOOTSTRAP_MEMBER: 'search-1',
})

/**
 * @param settings of /etc/meili-ha.env, beside those that every machine has
 * @param guarded false: Meilisearch runs alone, as in steps 1 and 2
 * @param volume the data directory, where it must be one of its own
 */
export async function startMachine(
  name: string,
  settings: Record<string, string>,
  { guarded = true, volume }: { guarded?: boolean; volume?: string } = {},
): Promise<Machine> {
  await using stack = new AsyncDisposableStack()
  const user = stack.use(await newUser({ settled: false }))
  const data = volume ?? join(user.cwd, '../meili_data')
  await mkdir(data, { recursive: true })
  const file = join(user.cwd, '../meili-ha.env')
  const all = {
    MEILI_HA_DATA_DIR: data,
    ...(guarded && { MEILI_HA_DIR: user.memory }),
    MEILI_HA_MEMBER: name,
    MEILI_HA_MEILI_URL: `http://${user.address(7700)}`,
    ...settings,
  }
  await writeFile(
    file,
    Object.entries(all)
      .map((pair) => `${pair.join('=')}\n`)
      .join(''),
  )
  const keeperFile = join(user.cwd, '../meili-ha-keeper.env')
  const parse = (text: string) => parseEnv(text) as Record<string, string>
  const read = async () => parse(await readFile(file, 'utf8'))
  /** As `EnvironmentFile=-` does: the lease-keeper's own settings, if there are any. */
  const readFor = async (unit: string) => ({
    ...(await read()),
    ...(unit === 'meili-ha-lease-keeper' &&
      parse(await readFile(keeperFile, 'utf8').catch(() => ''))),
  })
  const program = (which: Parameters<typeof cliOf>[0], port: number, ...args: string[]) => [
    ...[process.execPath, cliOf(which), ...args, '--listen', user.address(port)],
    ...['--log-format', 'json'],
  ]
  const meilisearch = join(user.bin, 'meilisearch')
  const commands: Record<string, string[]> = {
    meilisearch: [
      ...(guarded ? ['/bin/sh', join(REPO, 'docker/guard.sh')] : []),
      ...[meilisearch, '--no-analytics', '--http-addr', user.address(7700)],
    ],
    'meili-ha-fetcher': program('fetcher', 7712, 'follow', '--poll', '1s'),
    'meili-ha-uploader': program('uploader', 7711, 'run'),
    'meili-ha-lease-keeper': program('lease-keeper', 7713, 'run'),
  }
  const running = new Map<string, RunningProcess>()
  const earlier: RunningProcess[] = []
  const verbs: Record<string, (unit: string) => Promise<void>> = {
    start: async (unit) => {
      if (running.get(unit)?.running()) return
      const command = commands[unit]
      if (!command) throw new Error(`there is no unit ${unit}`)
      await mkdir(user.memory, { recursive: true })
      running.set(
        unit,
        startProcess({
          command,
          env: { PATH: user.env['PATH'], ...(await readFor(unit)) },
          cwd: data,
        }),
      )
    },
    /** KillMode=mixed: SIGTERM to the main process, then SIGKILL to what is left of the group. */
    stop: async (unit) => {
      const process = running.get(unit)
      if (!process) return
      if (process.running()) await process.kill('SIGTERM')
      await process[Symbol.asyncDispose]()
      running.delete(unit)
      earlier.push(process)
    },
    restart: async (unit) => {
      await verbs['stop']!(unit)
      await verbs['start']!(unit)
    },
  }
  const systemctl = async (verb: string, units: readonly string[]) => {
    for (const unit of units) await verbs[verb]!(unit)
  }
  await manageFrom(stack, user.bin, systemctl)
  user.places.set('/etc/meili-ha.env', file)
  user.places.set('/etc/meili-ha-keeper.env', keeperFile)
  user.places.set('/var/lib/meilisearch', data)
  user.prelude = `set -a; . '${file}'; set +a\n`
  stack.defer(async () => {
    for (const process of running.values()) await process[Symbol.asyncDispose]()
  })
  const owned = stack.move()
  const ask = async (port: number, path: string, init: RequestInit = {}) =>
    fetch(`http://${user.address(port)}${path}`, { ...init, signal: AbortSignal.timeout(5000) })
  return {
    name,
    user,
    data,
    systemctl,
    startAll: () => systemctl('start', Object.keys(commands)),
    freeze: async (unit) => running.get(unit)?.freeze(),
    powerOff: async () => {
      for (const process of running.values()) await process[Symbol.asyncDispose]()
      earlier.push(...running.values())
      running.clear()
      await rm(user.memory, { recursive: true, force: true })
    },
    route: async (path) => (await ask(7713, path).catch(() => undefined))?.status ?? 0,
    call: async (method, path, body) => {
      const key = (await read())['MEILI_MASTER_KEY']
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const sent = body === undefined ? null : JSON.stringify(body)
      const answer = await ask(7700, path, { method, headers, body: sent })
      return { status: answer.status, body: await answer.json() }
    },
    said: () =>
      [...earlier, ...running.values()].map((one) => `--- ${name}\n${one.output()}`).join('\n'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Puts a `systemctl` on the PATH that asks the test: no systemd runs here. */
async function manageFrom(
  stack: AsyncDisposableStack,
  bin: string,
  systemctl: (verb: string, units: string[]) => Promise<void>,
): Promise<void> {
  const server = createServer((request, response) => {
    const [verb = '', ...units] = (request.url ?? '').slice(1).split('/')
    systemctl(verb, units).then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const path = join(bin, 'systemctl')
  const script = `#!/bin/sh\nIFS=/\nexec curl -sS --fail-with-body "http://127.0.0.1:${port}/$*"\n`
  await writeFile(path, script)
  await chmod(path, 0o755)
}

/** Waits for a member to lead, or to serve as standby. */
export async function waitUntil(machine: Machine, is: '/primary' | '/replica'): Promise<void> {
  const answers = async () => (await machine.route(is)) === 200
  await until(`${machine.name} answers 200 on ${is}`, answers, {
    timeoutMs: 60_000,
    everyMs: 50,
  }).catch((cause: unknown) => {
    throw new Error(machine.said(), { cause })
  })
}
