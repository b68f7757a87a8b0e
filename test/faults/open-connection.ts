import { Agent, request } from 'node:http'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import { MASTER_KEY, type Member } from '../cluster/member.ts'

/** A client that never lets go of its one connection and searches on it, again and again. */
export interface OpenConnection extends Disposable {
  answers: number
  /** Boot time in centiseconds of the last answer. */
  lastAnswerAt: number
  /** Resolves when the connection is dead; that it never broke off before is what makes it *open*. */
  died: Promise<void>
}

export function searchOn(member: Member): OpenConnection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const connection: OpenConnection = {
    answers: 0,
    lastAnswerAt: 0,
    died: searchUntilItDies(),
    [Symbol.dispose]: () => agent.destroy(),
  }
  return connection

  async function searchUntilItDies(): Promise<void> {
    for (;;) {
      const reused = await searchOnce(agent, member.url).catch(() => undefined)
      // A connection made anew would be another client's.
      if (reused === undefined || (connection.answers > 0 && !reused)) return
      connection.answers += 1
      connection.lastAnswerAt = systemBootClock.now()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

/** True when the answer came over the connection that was there before. */
function searchOnce(agent: Agent, url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' }
    const options = { agent, method: 'POST', headers }
    const search = request(`${url}/indexes/books/search`, options, (response) => {
      response.resume()
      response.once('error', reject)
      response.once('end', () => {
        if (response.statusCode === 200) resolve(search.reusedSocket)
        else reject(new Error(`${response.statusCode}`))
      })
    })
    search.once('error', reject)
    search.end('{"q":""}')
  })
}
