import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https'
import { messageOf } from '@meili-ha/core/errors.ts'
import { REAL_CLOCK, type StoreClock, withDeadline } from '@meili-ha/core/store/deadline.ts'
import type { KubeAccess } from './kube-access.ts'
import { failureOf, isKubeError, KubeError } from './kube-error.ts'

export interface KubeRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH'
  /** From `/api` or `/apis` on. Values of people must be encoded. */
  path: string
  query?: Record<string, string>
  /** Sent as JSON; for PATCH as a merge patch. */
  body?: unknown
}

export interface KubeApiOptions {
  /** Milliseconds for one call: credentials, connection, answer and body, the second try after a 401 included. */
  timeoutMs: number
  clock?: StoreClock
}

/**
 * The API server over kept-alive connections. A call is one request; only a 401 is tried once more,
 * with the token read again, since it certainly had no effect.
 */
export class KubeApi {
  readonly server: string
  readonly namespace: string
  readonly #access: KubeAccess
  readonly #timeoutMs: number
  readonly #clock: StoreClock
  readonly #agent: HttpAgent

  constructor(access: KubeAccess, { timeoutMs, clock = REAL_CLOCK }: KubeApiOptions) {
    this.server = access.server
    this.namespace = access.namespace
    this.#access = access
    this.#timeoutMs = timeoutMs
    this.#clock = clock
    // http is what `kubectl proxy` speaks.
    const Agent = access.server.startsWith('http:') ? HttpAgent : HttpsAgent
    this.#agent = new Agent({ keepAlive: true })
  }

  /**
   * @returns the answer's JSON
   * @throws KubeError for everything but a 2xx with a whole body in time
   */
  async call(request: KubeRequest): Promise<unknown> {
    const what = `${request.method} ${request.path}`
    try {
      return await withDeadline(this.#timeoutMs, undefined, this.#clock, async (signal) => {
        try {
          return await this.#once(request, what, signal, false)
        } catch (error) {
          if (!isKubeError(error) || error.status !== 401) throw error
          return await this.#once(request, what, signal, true)
        }
      })
    } catch (error) {
      if (isKubeError(error)) throw error
      throw new KubeError('unknown', `${what}: ${messageOf(error)}`, { cause: error })
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  async #once(
    { method, path, query, body }: KubeRequest,
    what: string,
    signal: AbortSignal,
    renew: boolean,
  ): Promise<unknown> {
    const { headers, ...credentials } = await this.#access.credentials(renew)
    // The deadline may have passed meanwhile: nothing may be sent after its caller was told so.
    signal.throwIfAborted()
    const text = body === undefined ? undefined : JSON.stringify(body)
    const url = new URL(this.server + path)
    url.search = new URLSearchParams(query).toString()
    const options = {
      method,
      agent: this.#agent,
      ...credentials,
      signal,
      headers: { accept: 'application/json', ...headers, ...bodyHeaders(method, text) },
    }
    const { status, answer } = await send(url, options, text)
    if (status >= 200 && status < 300) return JSON.parse(answer)
    throw new KubeError(failureOf(status), `${what}: ${status} ${reasonOf(answer)}`, { status })
  }
}

function bodyHeaders(method: KubeRequest['method'], text: string | undefined) {
  if (text === undefined) return {}
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  return { 'content-type': type, 'content-length': Buffer.byteLength(text) }
}

function send(
  url: URL,
  options: RequestOptions,
  text: string | undefined,
): Promise<{ status: number; answer: string }> {
  return new Promise((resolve, reject) => {
    const start = url.protocol === 'http:' ? httpRequest : httpsRequest
    const request = start(url, options, (response: IncomingMessage) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        const answer = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, answer })
      })
    })
    request.once('error', reject)
    request.end(text)
  })
}

/** The server's own sentence, where it is a Status; a proxy's page of HTML says nothing to anyone. */
function reasonOf(answer: string): string {
  try {
    const { message } = JSON.parse(answer) as { message?: unknown }
    return typeof message === 'string' ? message : ''
  } catch {
    return ''
  }
}
