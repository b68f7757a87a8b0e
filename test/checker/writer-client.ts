import { Agent, request } from 'node:http'
import { MASTER_KEY, type Member } from '../cluster/member.ts'
import type { Write } from './history.ts'
import type { Recorder } from './recorder.ts'
import { memberFor, pause } from './routing.ts'

export const INDEX = 'chaos'
const TIMEOUT_MS = 2000

type Answer = Pick<Write, 'outcome' | 'taskUid'>

/** The register that a client writes to now; readers read it. */
export interface Register {
  name: string
}

/**
 * Writes one document after the other over one connection, for as long as it holds: whoever stops
 * Meilisearch ends it. It is never opened anew without asking who leads, so what a member takes from it
 * was sent to a primary.
 * @param reconnectAfter so many writes: who never lets go doesn't notice a second primary
 */
export async function writeUntil(
  signal: AbortSignal,
  client: string,
  members: readonly Member[],
  recorder: Recorder,
  register: Register,
  { everyMs, reconnectAfter }: { everyMs: number; reconnectAfter: number },
): Promise<void> {
  let connection: { member: Member; agent: Agent } | undefined
  let generation = 0
  register.name = `${client}-r${generation}`
  for (let value = 1; !signal.aborted; value++) {
    connection ??= await connect(members)
    if (connection) {
      const { member, agent } = connection
      const write = { client, id: `${client}-${value}`, register: register.name, value }
      const invoked = recorder.now()
      const answer = await post(agent, member, write)
      const completed = recorder.now()
      recorder.add({ kind: 'write', ...write, member: member.name, invoked, completed, ...answer })
      // What was neither taken nor refused may come in late: nothing after it may depend on it.
      if (answer.outcome === 'unknown') register.name = `${client}-r${++generation}`
      if (answer.outcome !== 'ok') connection = drop(agent)
    }
    await pause(everyMs, signal)
    const again = value % reconnectAfter === 0
    if (connection && (again || !isOpen(connection.agent))) connection = drop(connection.agent)
  }
  connection?.agent.destroy()
}

async function connect(members: readonly Member[]) {
  const member = await memberFor('/primary', members)
  return member && { member, agent: new Agent({ keepAlive: true, maxSockets: 1 }) }
}

function drop(agent: Agent): undefined {
  agent.destroy()
}

function isOpen(agent: Agent): boolean {
  return Object.values(agent.freeSockets).some((sockets) => sockets?.some((s) => !s.destroyed))
}

function post(
  agent: Agent,
  { url }: Member,
  { id, register, value }: Pick<Write, 'id' | 'register' | 'value'>,
): Promise<Answer> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' }
    const path = `${url}/indexes/${INDEX}/documents?primaryKey=id`
    const unknown = () => resolve({ outcome: 'unknown', taskUid: null })
    const call = request(
      path,
      { method: 'POST', agent, headers, timeout: TIMEOUT_MS },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => (text += part))
        answer.once('error', unknown)
        answer.once('close', () => {
          if (answer.complete) resolve(answerOf(answer.statusCode ?? 0, text))
          else unknown()
        })
      },
    )
    call.once('timeout', () => call.destroy())
    call.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') resolve({ outcome: 'refused', taskUid: null })
      else unknown()
    })
    call.end(
      JSON.stringify([
        { id, value },
        { id: register, value },
      ]),
    )
  })
}

function answerOf(status: number, text: string): Answer {
  if (status === 202) {
    const { taskUid } = JSON.parse(text) as { taskUid: number }
    return { outcome: 'ok', taskUid }
  }
  return { outcome: status >= 400 && status < 500 ? 'refused' : 'unknown', taskUid: null }
}
