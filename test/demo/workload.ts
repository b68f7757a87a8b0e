import { setTimeout as sleep } from 'node:timers/promises'
import { MASTER_KEY } from '../cluster/member.ts'

/** One request through the router (milliseconds, wall clock). */
export interface Done {
  began: number
  /** When it was answered, or given up. */
  at: number
  ok: boolean
  /** The document that was written. */
  id: number
}

export type Verb = 'write' | 'search'

export interface WorkloadOptions {
  /** How many write, and as many search, side by side. */
  clients?: number
  /** Told when a verb begins to fail, and when it works again. */
  onTurn?: (verb: Verb, ok: boolean, at: number) => void
}

/** Where the documents go that are written during a demo: apart from those that were there before. */
export const WRITTEN = 'written'

const PAUSE_MS = 50

/** Writers and searchers that go on whatever happens, and remember everything. */
export class Workload {
  readonly writes: Done[] = []
  readonly searches: Done[] = []
  readonly #router: string
  readonly #options: WorkloadOptions
  readonly #works: Record<Verb, boolean> = { write: true, search: true }
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>
  #nextId: number

  /** @param firstId of the documents that it writes */
  constructor(router: string, firstId = 1, options: WorkloadOptions = {}) {
    this.#router = router
    this.#options = options
    this.#nextId = firstId
    const clients = Array.from({ length: options.clients ?? 1 }, () => [
      this.#goOn(() => this.#write()),
      this.#goOn(() => this.#search()),
    ])
    this.#running = Promise.all(clients.flat())
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** Ids of writes that were acknowledged. */
  get acknowledged(): number[] {
    return this.writes.filter(({ ok }) => ok).map(({ id }) => id)
  }

  /** Those who come next write from here on. */
  get nextId(): number {
    return this.#nextId
  }

  async #goOn(step: () => Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await step()
      await sleep(PAUSE_MS, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
  }

  /** One that was refused isn't written again: it may have been taken, but was never acknowledged. */
  async #write(): Promise<void> {
    const id = this.#nextId++
    const began = Date.now()
    const body = [{ id, title: `written ${id}` }]
    const ok = await this.#ask(`/indexes/${WRITTEN}/documents?primaryKey=id`, body)
    this.#note('write', this.writes, { began, at: Date.now(), ok, id })
  }

  async #search(): Promise<void> {
    const began = Date.now()
    const ok = await this.#ask('/indexes/books/search', { q: 'amber', limit: 1 })
    this.#note('search', this.searches, { began, at: Date.now(), ok, id: 0 })
  }

  #note(verb: Verb, all: Done[], done: Done): void {
    const { ok, at } = done
    all.push(done)
    if (this.#works[verb] === ok) return
    this.#works[verb] = ok
    this.#options.onTurn?.(verb, ok, at)
  }

  async #ask(path: string, body: unknown): Promise<boolean> {
    try {
      const answer = await fetch(this.#router + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(5000),
      })
      await answer.text()
      return answer.ok
    } catch {
      return false
    }
  }
}
