import * as z from 'zod'
import { MeiliHaError } from '../errors.ts'
import type { ApiKeySource } from './api-key.ts'
import { send, type HttpAnswer } from './request.ts'
import { enqueuedSchema, taskPageSchema, taskSchema, type Task } from './task.ts'

export interface MeilisearchClientOptions {
  /** `--meili-url`; a path in it is kept as a prefix. */
  url: string
  /** Asked before every request; see apiKeySource. */
  apiKey?: ApiKeySource
  /** Milliseconds for one request, body included. */
  timeoutMs?: number
  /** Aborts whatever is under way: the request then throws CANCELLED. */
  signal?: AbortSignal
}

export interface TaskQuery {
  /** Most recent first; 20 unless told, as Meilisearch has it. */
  limit?: number
  /** Starts at this uid and goes down. */
  from?: number
  types?: readonly string[]
  statuses?: readonly string[]
}

// Made once: a schema is compiled by its first use, which is dearer than a request.
const healthSchema = z.looseObject({ status: z.literal('available') })
const versionSchema = z.looseObject({ pkgVersion: z.string() })
const refusalSchema = z.looseObject({ code: z.string(), message: z.string() })

interface Call {
  method: 'GET' | 'POST'
  path: string
  /** What the key must be allowed to do; null = no key is sent. */
  action: string | null
}

/**
 * The few calls that meili-ha makes to a Meilisearch. Nothing is retried: whoever asks, asks again.
 *
 * Every call throws MEILI_UNREACHABLE (no whole answer within `timeoutMs`), MEILI_DENIED (401 or 403,
 * naming the action that the key lacks), MEILI_FAILED (anything else that isn't the expected answer;
 * Meilisearch's own code as `remoteCode`) or CANCELLED. The key is in none of them.
 */
export class MeilisearchClient {
  readonly #options: MeilisearchClientOptions
  readonly #base: URL

  /** @throws USAGE when the URL is none */
  constructor(options: MeilisearchClientOptions) {
    const { url } = options
    const base = URL.parse(url.endsWith('/') ? url : `${url}/`)
    if (base?.protocol !== 'http:' && base?.protocol !== 'https:') {
      throw new MeiliHaError('USAGE', '--meili-url must start with http:// or https://')
    }
    this.#options = options
    this.#base = base
  }

  /** Returns when Meilisearch says it is available. Needs no key. */
  async health(): Promise<void> {
    await this.#call({ method: 'GET', path: 'health', action: null }, healthSchema)
  }

  /** `MAJOR.MINOR.PATCH`. Needs the action `version`, which a key for snapshots usually lacks. */
  async version(): Promise<string> {
    const call = { method: 'GET', path: 'version', action: 'version' } as const
    return (await this.#call(call, versionSchema)).pkgVersion
  }

  /** The highest task; right after a restore and before anything else, what the snapshot held. */
  async newestTask(): Promise<Task | undefined> {
    return (await this.tasks({ limit: 1 })).results[0]
  }

  /**
   * One page of tasks, newest first. A key restricted to some indexes silently misses those that
   * belong to none, snapshots among them.
   */
  async tasks(query: TaskQuery = {}): Promise<{ results: Task[]; next: number | null }> {
    const search = new URLSearchParams()
    if (query.limit !== undefined) search.set('limit', String(query.limit))
    if (query.from !== undefined) search.set('from', String(query.from))
    if (query.types) search.set('types', query.types.join(','))
    if (query.statuses) search.set('statuses', query.statuses.join(','))
    const path = `tasks?${search.toString()}`
    return this.#call({ method: 'GET', path, action: 'tasks.get' }, taskPageSchema)
  }

  /** The latest snapshotCreation tasks, newest first; for snapshotTaskOf. */
  async snapshotTasks(query: Omit<TaskQuery, 'types' | 'from'> = {}): Promise<Task[]> {
    return (await this.tasks({ ...query, types: ['snapshotCreation'] })).results
  }

  /** @throws also MEILI_FAILED with remoteCode `task_not_found` */
  async task(uid: number): Promise<Task> {
    return this.#call({ method: 'GET', path: `tasks/${uid}`, action: 'tasks.get' }, taskSchema)
  }

  /** Asks for a snapshot and returns its task's uid; it waits for the batch under way. */
  async createSnapshot(): Promise<number> {
    const call = { method: 'POST', path: 'snapshots', action: 'snapshots.create' } as const
    return (await this.#call(call, enqueuedSchema)).taskUid
  }

  async #call<T>(call: Call, schema: z.ZodType<T>): Promise<T> {
    const { apiKey, timeoutMs = 5000, signal } = this.#options
    const key = call.action === null ? undefined : await apiKey?.()
    const answer = await send({
      method: call.method,
      url: new URL(call.path, this.#base),
      apiKey: key,
      timeoutMs,
      signal,
    })
    return read(call, answer, key !== undefined, schema)
  }
}

function read<T>(call: Call, answer: HttpAnswer, keyGiven: boolean, schema: z.ZodType<T>): T {
  const name = `${call.method} /${call.path.split('?')[0]}`
  const body = parseJson(answer.body)
  if (answer.status >= 200 && answer.status < 300) {
    const parsed = schema.safeParse(body)
    if (parsed.success) return parsed.data
    const cause = parsed.error
    throw new MeiliHaError('MEILI_FAILED', `${name}: not an answer of Meilisearch`, { cause })
  }
  const refusal = refusalSchema.safeParse(body).data
  const remote = refusal ? { remoteCode: refusal.code } : {}
  if (answer.status === 401 || answer.status === 403) {
    const lack = keyGiven
      ? 'the key is unknown here, or lacks'
      : 'no key is given; one is needed for'
    const what = `${name} was refused: ${lack} the action ${call.action ?? '-'} on indexes *`
    throw new MeiliHaError('MEILI_DENIED', what, remote)
  }
  const said = refusal ? `: ${refusal.message}` : ''
  throw new MeiliHaError('MEILI_FAILED', `${name} answered ${answer.status}${said}`, remote)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
