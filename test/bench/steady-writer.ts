import type { RunningMeilisearch } from '../harness/meilisearch.ts'
import { done, INDEX } from './documents.ts'
import type { Write } from './loss-window.ts'

/** Documents that are sent at once. */
const BATCH = 20
/** Above all ids that filled the index. */
const FIRST_ID = 1e9

export interface SteadyWriter {
  /** Each batch that was acknowledged. */
  writes: readonly Write[]
  /** Documents that are indexed. */
  indexed(): number
  /** Ends with the batch under way; throws what ended it before. */
  stop(): Promise<void>
}

/**
 * Sends small documents and waits until they are indexed before it sends the next: while Meilisearch
 * indexes nothing, as during a snapshot, it writes nothing.
 */
export function startSteadyWriter(meili: RunningMeilisearch): SteadyWriter {
  const writes: Write[] = []
  const stop = new AbortController()
  let indexed = 0
  const life = (async () => {
    while (!stop.signal.aborted) {
      const documents = Array.from({ length: BATCH }, (_, i) => {
        const id = FIRST_ID + indexed + i
        return { id, title: `written ${id}` }
      })
      const answer = await meili.call('POST', `/indexes/${INDEX}/documents`, documents)
      if (answer.status !== 202) throw new Error(`a write: ${JSON.stringify(answer.body)}`)
      writes.push({ ...(answer.body as { taskUid: number }), at: performance.now() })
      await done(meili, answer)
      indexed += BATCH
    }
  })()
  life.catch(() => {})
  return {
    writes,
    indexed: () => indexed,
    stop: () => {
      stop.abort()
      return life
    },
  }
}
