import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'
import { startProcess, type RunningProcess } from './process.ts'
import { until } from './until.ts'

const STAND_IN = fileURLToPath(new URL('../stand-in/main.ts', import.meta.url))

export interface MeilisearchOptions {
  dbPath: string
  snapshotDir?: string
  masterKey?: string
  /** A free one unless told. */
  port?: number
  /** Further arguments, such as `--import-snapshot FILE`. */
  args?: readonly string[]
  /** MEILI_* settings, and STAND_IN_* knobs, which a real one ignores. */
  env?: Readonly<Record<string, string | undefined>>
  /** Another binary than MEILISEARCH_BIN (or the stand-in). */
  bin?: string
  /** Return only once /health answers; default true. */
  untilHealthy?: boolean
}

export interface RunningMeilisearch extends RunningProcess {
  url: string
  port: number
  /** One HTTP request with the master key; the body as JSON. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
}

/** What tests run as Meilisearch: the real one of MEILISEARCH_BIN, else the stand-in. */
export function meilisearchCommand(bin = process.env['MEILISEARCH_BIN']): string[] {
  return bin ? [bin] : [process.execPath, STAND_IN]
}

/** `real 1.50.0` or `stand-in`. */
export function which(bin = process.env['MEILISEARCH_BIN']): string {
  if (!bin) return 'stand-in'
  return `real ${execFileSync(bin, ['--version'], { encoding: 'utf8' }).trim().split(' ')[1]}`
}

/** Starts a Meilisearch on 127.0.0.1 and waits until it is healthy; it goes with the scope. */
export async function startMeilisearch(options: MeilisearchOptions): Promise<RunningMeilisearch> {
  const port = options.port ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const cwd = dirname(options.dbPath)
  await mkdir(cwd, { recursive: true })
  const { snapshotDir, masterKey, args = [], env } = options
  const running = startProcess({
    command: [
      ...meilisearchCommand(options.bin),
      ...['--db-path', options.dbPath, '--http-addr', `127.0.0.1:${port}`, '--no-analytics'],
      ...(snapshotDir === undefined ? [] : ['--snapshot-dir', snapshotDir]),
      ...args,
    ],
    // Not as an argument: any user of the machine can read those.
    env: { ...(masterKey === undefined ? {} : { MEILI_MASTER_KEY: masterKey }), ...env },
    cwd,
  })
  try {
    if (options.untilHealthy ?? true) await untilHealthy(running, url)
  } catch (error) {
    await running[Symbol.asyncDispose]()
    throw error
  }
  return { ...running, url, port, call: (...what) => call(url, masterKey, ...what) }
}

/** It takes ten seconds to import a snapshot of 1 GB. */
const IMPORT_MS = 60_000

async function untilHealthy(running: RunningProcess, url: string): Promise<void> {
  const health = async () => {
    if (!running.running()) return 'ended'
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(1000) })
    return answer.ok && 'yes'
  }
  const healthy = await until('Meilisearch is healthy', health, { timeoutMs: IMPORT_MS })
  if (healthy === 'ended') throw new Error(`Meilisearch ended:\n${running.output()}`)
}

async function call(
  url: string,
  masterKey: string | undefined,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(masterKey === undefined ? {} : { authorization: `Bearer ${masterKey}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
}
