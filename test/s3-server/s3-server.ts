import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Bucket } from './bucket.ts'
import { type Fault, Faults, flipBit } from './faults.ts'
import { operate, operationOf, type S3Answer } from './operations.ts'
import { checkPayload } from './payload.ts'
import { S3Error } from './s3-error.ts'
import { checkSignature, type Credentials } from './signature.ts'
import { toXml } from './xml.ts'

/** One request as it was answered; `status` 0 = not answered. */
interface LoggedRequest {
  op: string
  key: string
  /** Of the request's body, as sent. */
  bytes: number
  status: number
  query: Record<string, string>
  headers: IncomingMessage['headers']
}

export interface S3ServerOptions {
  /** Keys per page of a listing. */
  pageSize?: number
  /** False: a store that knows no checksums, and says so to those that send them. */
  checksums?: boolean
  /** Another server's: two ways to one bucket, each with faults of its own. */
  bucket?: Bucket
}

/** An S3 server inside the test, with one bucket and faults on demand. */
export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  endpoint: string
  bucketName: string
  credentials: Credentials
  bucket: Bucket
  faults: Faults
  requests: LoggedRequest[]
  /** The requests of one operation. */
  count(op: string): number
  close(): Promise<void>
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const credentials = { accessKeyId: 'TESTKEY', secretAccessKey: 'test-secret' }
  const state = {
    bucket: options.bucket ?? new Bucket(),
    faults: new Faults(),
    requests: [] as LoggedRequest[],
  }
  const bucketName = 'test-bucket'
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const [, name, ...rest] = decodeURIComponent(url.pathname).split('/')
    const key = rest.join('/')
    const op = operationOf(request.method ?? '', key, url.searchParams) ?? 'Unknown'
    const query = Object.fromEntries(url.searchParams)
    const { headers } = request
    const logged: LoggedRequest = { op, key, bytes: 0, status: 0, query, headers }
    state.requests.push(logged)
    const fault = state.faults.take(op, key)
    if (fault?.kind === 'hang') return
    const raw = await readAll(request)
    logged.bytes = raw.length
    if (fault?.kind === 'reset') return void request.socket.resetAndDestroy()
    const answer = answerOrError(() => {
      if (fault?.kind === 'status') throw new S3Error(fault.status, fault.code)
      checkSignature(request, credentials)
      if (name !== bucketName) throw new S3Error(404, 'NoSuchBucket')
      if (options.checksums === false) refuseChecksums(headers)
      const body = checkPayload(headers, fault?.kind === 'flip-request' ? flipBit(raw) : raw)
      const parsed = { op, key, query: url.searchParams, headers, body }
      return operate(state.bucket, parsed, options.pageSize ?? 1000)
    })
    if (fault?.kind === 'lost-answer') return void request.socket.resetAndDestroy()
    logged.status = answer.status
    if (fault?.kind === 'status' && fault.retryAfter !== undefined) {
      answer.headers = { ...answer.headers, 'retry-after': fault.retryAfter }
    }
    send(response, request.method === 'HEAD', answer, fault)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    ...state,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bucketName,
    credentials,
    count: (op) => state.requests.filter((request) => request.op === op).length,
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function answerOrError(act: () => S3Answer): S3Answer {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof S3Error)) throw error
    const { status, code, message } = error
    const body = toXml('Error', { Code: code, Message: message })
    return { status, headers: { 'content-type': 'application/xml' }, body }
  }
}

function refuseChecksums(headers: IncomingMessage['headers']): void {
  const names = Object.keys(headers)
  if (names.some((name) => /^x-amz-(checksum-(sha|crc|algo)|sdk-checksum)/.test(name))) {
    throw new S3Error(501, 'NotImplemented', 'this store knows no checksums')
  }
}

function send(
  response: ServerResponse,
  isHead: boolean,
  answer: S3Answer,
  fault: Fault | undefined,
): void {
  const body = Buffer.from(answer.body ?? '')
  const half = body.subarray(0, body.length >> 1)
  const length = isHead ? {} : { 'content-length': String(body.length) }
  const headers = { 'x-amz-request-id': 'test', ...length, ...answer.headers }
  switch (fault?.kind) {
    case 'hang-in-body':
      response.writeHead(answer.status, headers).write(half)
      return
    case 'short-body':
      response.writeHead(answer.status, headers).write(half, () => response.socket?.end())
      return
    case 'clean-short-body': {
      const { 'content-length': _length, ...others } = headers as Record<string, string>
      response.writeHead(answer.status, others).end(half)
      return
    }
    case 'flip-answer':
      response.writeHead(answer.status, headers).end(flipBit(body))
      return
    default:
      response.writeHead(answer.status, headers).end(isHead ? undefined : body)
  }
}
