import { Agent, request } from 'node:http'
import { MASTER_KEY, type Member } from './member.ts'

/** A client that writes one document after the other, to whoever says that it is the primary. */
export interface Writer {
  /** Ids of the documents whose write was acknowledged. */
  acknowledged: number[]
  /** Longest time between two acknowledgements, milliseconds. */
  longestGapMs(): number
  /** Ends after the write under way. */
  stop(): Promise<void>
}

/**
 * Writes until it is stopped, over connections that are kept alive, and asks the keepers' routes
 * only after a refusal: what an application behind a router does.
 */
export function startWriter(members: readonly Member[], index = 'books'): Writer {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const acknowledged: number[] = []
  const stop = new AbortController()
  let last = performance.now()
  let gap = 0

  const life = async (): Promise<void> => {
    let target: Member | undefined
    let id = 1
    while (!stop.signal.aborted) {
      target ??= await primaryOf(members)
      const status = target && (await post(agent, target, index, { id }))
      if (status === 202) {
        acknowledged.push(id)
        gap = Math.max(gap, performance.now() - last)
        last = performance.now()
        id += 1
      } else target = undefined
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const ended = life()
  return {
    acknowledged,
    longestGapMs: () => Math.round(gap),
    stop: async () => {
      stop.abort()
      await ended
      agent.destroy()
    },
  }
}

async function primaryOf(members: readonly Member[]): Promise<Member | undefined> {
  for (const member of members) if ((await member.route('/primary')) === 200) return member
  return undefined
}

/** The status of the answer; 0 without one: the write may have been taken or not. */
function post(agent: Agent, { url }: Member, index: string, document: unknown): Promise<number> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' }
    const path = `${url}/indexes/${index}/documents?primaryKey=id`
    const call = request(path, { method: 'POST', agent, headers, timeout: 2000 }, (answer) => {
      answer.resume()
      answer.once('close', () => resolve(answer.complete ? (answer.statusCode ?? 0) : 0))
    })
    call.once('timeout', () => call.destroy())
    call.once('error', () => resolve(0))
    call.end(JSON.stringify([document]))
  })
}

/** The ids of all documents, once nothing is enqueued any more. */
export async function idsIn(member: Member, index = 'books'): Promise<Set<number>> {
  const tasks = await member.call('GET', '/tasks?statuses=enqueued,processing&limit=1')
  if ((tasks.body as { total: number }).total > 0) throw new Error('there are tasks to be done')
  const { body } = await member.call('GET', `/indexes/${index}/documents?limit=100000&fields=id`)
  return new Set((body as { results: { id: number }[] }).results.map(({ id }) => id))
}
