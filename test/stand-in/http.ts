import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Access } from './keys.ts'
import { errorOf } from './model.ts'

/** A refusal with Meilisearch's error object. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly type: string

  constructor(status: number, code: string, message: string, type = 'invalid_request') {
    super(message)
    this.status = status
    this.code = code
    this.type = type
  }
}

export interface Request {
  /** What the route's pattern caught, decoded. */
  params: string[]
  query: URLSearchParams
  access: Access
  /** The body as it came, and as JSON. */
  text: () => Promise<string>
  json: () => Promise<unknown>
  contentType: string
}

export interface Answer {
  status: number
  /** Undefined = no body. */
  body: unknown
}

export interface Route {
  method: string
  /** Its first group names the index, where `onIndex`. */
  path: RegExp
  /** Null = no key needed. */
  action: string | null
  onIndex?: boolean
  handle(request: Request): Answer | Promise<Answer>
}

export async function readText(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    const why = `The \`json\` payload provided is malformed. \`${(error as Error).message}\`.`
    throw new Refusal(400, 'malformed_payload', why)
  }
}

export function reply(response: ServerResponse, { status, body }: Answer): void {
  const text = body === undefined ? '' : JSON.stringify(body)
  response.writeHead(status, {
    ...(text === '' ? {} : { 'content-type': 'application/json' }),
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

export function refuse(error: unknown): Answer {
  if (error instanceof Refusal) {
    return { status: error.status, body: errorOf(error.code, error.message, error.type) }
  }
  return { status: 500, body: errorOf('internal', String(error), 'internal') }
}
