import { setTimeout as sleep } from 'node:timers/promises'
import { MASTER_KEY } from '../cluster/member.ts'

/** One request through the router, and when it was answered (milliseconds, wall clock). */
export interface Done {
  at: number
  ok: boolean
  id: number
}

/** A writer and a searcher that go on whatever happens, and remember everything. */
export class Workload {
  readonly writes: Done[] = []
  readonly searches: Done[] = []
  readonly #router: string
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>

  /** @param firstId of the documents that it writes */
  constructor(router: string, firstId: number) {
    this.#router = router
    this.#running = Promise.all([this.#write(firstId), this.#search()])
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** Ids of writes that were acknowledged. */
  get acknowledged(): number[] {
    return this.writes.filter(({ ok }) => ok).map(({ id }) => id)
  }

  async #write(firstId: number): Promise<void> {
    for (let id = firstId; !this.#stop.signal.aborted;) {
      const body = [{ id, title: `written ${id}`, year: 2026 }]
      const ok = await this.#ask('/indexes/books/documents?primaryKey=id', body)
      this.writes.push({ at: Date.now(), ok, id })
      // One that was refused is written again: it was never acknowledged.
      if (ok) id += 1
      await this.#pause(50)
    }
  }

  async #search(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const ok = await this.#ask('/indexes/books/search', { q: 'amber', limit: 1 })
      this.searches.push({ at: Date.now(), ok, id: 0 })
      await this.#pause(50)
    }
  }

  async #ask(path: string, body: unknown): Promise<boolean> {
    try {
      const answer = await fetch(this.#router + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(2000),
      })
      await answer.text()
      return answer.ok
    } catch {
      return false
    }
  }

  #pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {})
  }
}
