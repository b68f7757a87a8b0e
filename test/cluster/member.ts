import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { freePort } from '../harness/free-port.ts'
import { meilisearchCommand } from '../harness/meilisearch.ts'
import { startProcess, type RunningProcess } from '../harness/process.ts'
import { cliOf } from '../uploader/programs.ts'

const GUARD = fileURLToPath(new URL('../../docker/guard.sh', import.meta.url))

export const MASTER_KEY = 'cluster-master-key-0123456789'

export type Part = 'guard' | 'fetcher' | 'uploader' | 'keeper'

/** A Meilisearch: a binary (MEILISEARCH_BIN or the stand-in unless told), and what it is told. */
export interface Engine {
  bin?: string
  env?: Record<string, string>
}

export interface MemberOptions {
  /** `m1`, `m2`, … */
  name: string
  /** Everything of the member lies below; `/ha` too, unless told otherwise. */
  dir: string
  storeUrl: string
  /** Who may begin the cluster. */
  bootstrap: string
  /** Flags of each program, added to the usual ones. */
  flags?: Partial<Record<'fetcher' | 'uploader' | 'keeper', string[]>>
  env?: Record<string, string>
  engine?: Engine
  /** `5s` unless told. */
  leaseDuration?: string
  /** What is started in place of a part's command: for tests that plant a bug from outside. */
  replace?: (part: Part, command: string[]) => string[]
  /** How its keeper finds the lease: `--lease store` unless told. */
  lease?: { args: string[]; env?: Record<string, string> }
}

/** One member of real processes, as a pod or a compose project would run them. */
export interface Member extends AsyncDisposable {
  name: string
  data: string
  ha: HaDir
  /** Where its Meilisearch answers. */
  url: string
  keeperUrl: string
  fetcherUrl: string
  uploaderUrl: string
  parts: Record<Part, RunningProcess>
  /** Put before every command that is started from now on, such as `unshare …`. */
  launcher: string[]
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  /** The status of a route of its keeper; 0 when nobody answers. */
  route(path: string): Promise<number>
  /** SIGKILL to everything at once, as when the machine loses its power; `/ha` goes with it. */
  powerOff(options?: { keepHa?: boolean }): Promise<void>
  /** Starts everything anew on the data that is left. */
  powerOn(): Promise<void>
  /** Puts another Meilisearch in its place, which the next start of the guard runs. */
  install(meilisearch: Engine): Promise<void>
  /** Ends one as its container would, what it started included. */
  stop(part: Part): Promise<void>
  /** The same, and starts it anew. */
  restart(part: Part): Promise<void>
  /** What all its programs said, for a test that failed. */
  said(): string
}

export async function startMember(options: MemberOptions): Promise<Member> {
  const { name, dir, storeUrl, bootstrap, flags = {}, env = {} } = options
  const data = join(dir, 'data')
  const ha = new HaDir(join(dir, 'ha'))
  const [port, uploaderPort, fetcherPort, keeperPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ])
  const url = `http://127.0.0.1:${port}`
  const meilisearch = await install(dir, options.engine)
  await mkdir(data, { recursive: true })
  await mkdir(ha.path, { recursive: true })
  const common = [
    ...['--store', storeUrl, '--data-dir', data, '--ha-dir', ha.path, '--meili-url', url],
    ...['--member', name, '--log-format', 'json'],
  ]
  const lease = options.lease ?? { args: ['--lease', 'store'] }
  const duration = options.leaseDuration ?? '5s'
  const keyed = { ...env, MEILI_HA_API_KEY: MASTER_KEY, MEILI_HA_LEASE: '' }
  const replaced = options.replace ?? ((_part: Part, command: string[]) => command)
  const launch = (part: Part, words: string[], more: Record<string, string>, cwd: string) => {
    const command = [...member.launcher, ...replaced(part, words)]
    return startProcess({ command, env: { ...env, ...more }, cwd })
  }
  const program = (
    which: 'fetcher' | 'uploader' | 'lease-keeper',
    args: string[],
    more: Record<string, string> = {},
  ) => {
    const part = which === 'lease-keeper' ? 'keeper' : which
    return launch(part, [process.execPath, cliOf(which), ...args], { ...keyed, ...more }, dir)
  }

  const starters: Record<Part, () => RunningProcess> = {
    guard: () =>
      launch(
        'guard',
        [
          ...['/bin/sh', GUARD, meilisearch, '--db-path', join(data, 'data.ms')],
          ...['--http-addr', `127.0.0.1:${port}`, '--snapshot-dir', join(data, 'snapshots')],
          '--no-analytics',
        ],
        { MEILI_HA_DIR: ha.path, MEILI_MASTER_KEY: MASTER_KEY },
        data,
      ),
    fetcher: () =>
      program('fetcher', [
        // Each swap takes it out of the read routing for 2 s: without a pause it would hardly ever serve.
        ...['follow', ...common, '--poll', '1s', '--swap-every', '2s'],
        ...['--listen', `127.0.0.1:${fetcherPort}`],
        ...(flags.fetcher ?? []),
      ]),
    uploader: () =>
      program('uploader', [
        ...['run', ...common, '--listen', `127.0.0.1:${uploaderPort}`, ...(flags.uploader ?? [])],
      ]),
    keeper: () =>
      program(
        'lease-keeper',
        [
          ...['run', ...common, '--cluster', 'test', ...lease.args, '--lease-duration', duration],
          ...['--bootstrap-member', bootstrap, '--listen', `127.0.0.1:${keeperPort}`],
          ...(flags.keeper ?? []),
        ],
        lease.env,
      ),
  }
  const earlier: RunningProcess[] = []
  const startAll = (): Record<Part, RunningProcess> => ({
    guard: starters.guard(),
    fetcher: starters.fetcher(),
    uploader: starters.uploader(),
    keeper: starters.keeper(),
  })
  const member: Member = {
    name,
    data,
    ha,
    url,
    keeperUrl: `http://127.0.0.1:${keeperPort}`,
    fetcherUrl: `http://127.0.0.1:${fetcherPort}`,
    uploaderUrl: `http://127.0.0.1:${uploaderPort}`,
    parts: undefined as never,
    launcher: [],
    call: (method, path, body) => call(url, method, path, body),
    route: (path) => route(`http://127.0.0.1:${keeperPort}${path}`),
    powerOff: async ({ keepHa = false } = {}) => {
      earlier.push(...Object.values(member.parts))
      // The groups, so that Meilisearch goes with its guard as in a container.
      await Promise.all(Object.values(member.parts).map((part) => part[Symbol.asyncDispose]()))
      if (!keepHa) await rm(ha.path, { recursive: true, force: true })
    },
    powerOn: async () => {
      await mkdir(ha.path, { recursive: true })
      member.parts = startAll()
    },
    install: async (engine) => void (await install(dir, engine)),
    stop: async (part) => {
      await member.parts[part][Symbol.asyncDispose]()
    },
    restart: async (part) => {
      earlier.push(member.parts[part])
      await member.stop(part)
      member.parts[part] = starters[part]()
    },
    said: () =>
      [...earlier, ...Object.values(member.parts)]
        .map((part) => `--- ${name} ${part.pid}\n${part.output()}`)
        .join('\n'),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(Object.values(member.parts).map((part) => part[Symbol.asyncDispose]()))
    },
  }
  member.parts = startAll()
  return member
}

/** The guard takes one word for the binary: `COMMAND --version` is what it asks. */
async function install(dir: string, { bin, env = {} }: Engine = {}): Promise<string> {
  const path = join(dir, 'meilisearch')
  const words = meilisearchCommand(bin).map((word) => `'${word}'`)
  const settings = Object.entries(env).map(([name, value]) => `export ${name}='${value}'\n`)
  await mkdir(dir, { recursive: true })
  // By rename: the shell of a running guard's last start may still be reading it.
  await writeFile(`${path}.new`, `#!/bin/sh\n${settings.join('')}exec ${words.join(' ')} "$@"\n`)
  await chmod(`${path}.new`, 0o755)
  await rename(`${path}.new`, path)
  return path
}

async function call(url: string, method: string, path: string, body?: unknown) {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(5000),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) }
}

async function route(url: string): Promise<number> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1000) })).status
  } catch {
    return 0
  }
}

/** The lineage of its live directory. */
export async function lineageOf(member: Member): Promise<Record<string, unknown>> {
  const path = join(member.data, 'data.ms', 'meili-ha.json')
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
}
