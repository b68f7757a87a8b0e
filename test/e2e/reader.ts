import { MASTER_KEY } from '../cluster/member.ts'

/** Clients that search through a router, one search after the other. */
export interface Reader extends AsyncDisposable {
  /** How many documents each search found, in the order of the answers. */
  found: number[]
  /** What went wrong, one line each. */
  failures: string[]
}

/** Reads until it is disposed of; several at once, so that some read is always under way. */
export function startReader(routerUrl: string, clients = 4): Reader {
  const found: number[] = []
  const failures: string[] = []
  const stop = new AbortController()
  const read = async () => {
    while (!stop.signal.aborted) {
      try {
        found.push(await search(routerUrl))
      } catch (error) {
        failures.push(`${new Date().toISOString()} ${String(error)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const ended = Promise.all(Array.from({ length: clients }, read))
  return {
    found,
    failures,
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await ended
    },
  }
}

async function search(routerUrl: string): Promise<number> {
  const answer = await fetch(`${routerUrl}/indexes/books/search`, {
    method: 'POST',
    headers: { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' },
    body: '{"q":"","limit":0}',
    signal: AbortSignal.timeout(10_000),
  })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  const { estimatedTotalHits } = (await answer.json()) as { estimatedTotalHits: number }
  return estimatedTotalHits
}
