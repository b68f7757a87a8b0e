import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isError, MeiliHaError } from '../errors.ts'
import { DeadlineError, REAL_CLOCK, withDeadline } from '../store/deadline.ts'

/** A page of 1,000 tasks is about 1 MB; whatever sends more than this isn't Meilisearch. */
const LARGEST_ANSWER = 16 * 1024 * 1024

export interface HttpCall {
  method: 'GET' | 'POST'
  url: URL
  apiKey: string | undefined
  /** Milliseconds for everything: connection, head and body. */
  timeoutMs: number
  signal?: AbortSignal | undefined
}

export interface HttpAnswer {
  status: number
  body: string
}

/**
 * One request on a connection of its own: Meilisearch is stopped and swapped under its clients, and
 * a kept connection that just died makes a POST's fate unknown. On loopback a new one costs nothing.
 * @throws MEILI_UNREACHABLE when no whole answer came in time; CANCELLED when `signal` was aborted
 */
export async function send(call: HttpCall): Promise<HttpAnswer> {
  try {
    return await withDeadline(call.timeoutMs, call.signal, REAL_CLOCK, async (signal) => {
      const response = await open(call, signal)
      return { status: response.statusCode ?? 0, body: await readBody(response) }
    })
  } catch (cause) {
    if (call.signal?.aborted) {
      throw new MeiliHaError('CANCELLED', 'a request to Meilisearch was cancelled', { cause })
    }
    // The origin alone: a URL may hold a password.
    const what = `no Meilisearch at ${call.url.origin}: ${codeOf(cause)}`
    throw new MeiliHaError('MEILI_UNREACHABLE', what, { cause })
  }
}

/** True where nothing was refused or cut, but the time was up: a machine that stalls looks the same. */
export function isLate(error: unknown): boolean {
  return isError(error, 'MEILI_UNREACHABLE') && error.cause instanceof DeadlineError
}

function open(call: HttpCall, signal: AbortSignal): Promise<IncomingMessage> {
  const request = call.url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const headers = {
      accept: 'application/json',
      ...(call.apiKey === undefined ? {} : { authorization: `Bearer ${call.apiKey}` }),
    }
    request(call.url, { method: call.method, headers, agent: false, signal })
      .once('response', resolve)
      .once('error', reject)
      .end()
  })
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LARGEST_ANSWER) throw new Error('the answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** `ECONNREFUSED` says more to a person than `connect ECONNREFUSED 127.0.0.1:7700`. */
function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
