import type { Restorable } from '@meili-ha/core/catalog/catalog-view.ts'
import type { RestorePlan } from '@meili-ha/core/catalog/restore-candidates.ts'
import { isError, messageOf } from '@meili-ha/core/errors.ts'
import { fetchNewest } from '../fetch-newest.ts'
import { Patience } from '../patience.ts'
import type { FollowOptions } from './follow-options.ts'
import type { Member } from './member.ts'

/** A store that is away for so long ends the attempt; the next one begins anew, with a fresh LIST. */
const WAIT_OUT_MS = 120_000

/**
 * Unpacks the next snapshot beside the live directory, in the background: Meilisearch serves, and
 * the loop goes on to hear what the keeper wants.
 */
export class Preparation {
  readonly #options: FollowOptions
  readonly #member: Member
  #job: { id: string; stop: AbortController; done: Promise<void> } | undefined
  /** Complete in `.next`. */
  ready: Restorable | undefined
  /** Grows with every byte: proof that a promotion moves. */
  progress = 0
  /** Why the last attempt came to nothing; null = it didn't. */
  failure: string | null = null

  constructor(options: FollowOptions, member: Member) {
    this.#options = options
    this.#member = member
  }

  get running(): boolean {
    return this.#job !== undefined
  }

  /** Id of what is being unpacked, or is ready. */
  get underWay(): string | undefined {
    return this.#job?.id ?? this.ready?.id
  }

  /** Begins with the plan's newest, unless that is under way or ready. */
  async start(plan: RestorePlan): Promise<void> {
    const newest = plan.candidates[0]
    if (!newest || this.#job?.id === newest.id || this.ready?.id === newest.id) return
    await this.stop()
    this.ready = undefined
    this.failure = null
    const stop = new AbortController()
    const done = this.#run(plan, AbortSignal.any([stop.signal, this.#options.signal]))
    this.#job = { id: newest.id, stop, done }
    void done.finally(() => {
      this.#job = undefined
    })
  }

  /**
   * Nothing is wanted any more; should it be after all, it is found in `.next`. That an attempt at what
   * was wanted failed is past too: a damaged snapshot must not keep a member from leading with what it holds.
   */
  forget(): void {
    this.ready = undefined
    this.failure = null
  }

  /** Returns when nothing writes to `.next` any more. */
  async stop(): Promise<void> {
    this.#job?.stop.abort()
    await this.#job?.done
  }

  async #run(plan: RestorePlan, signal: AbortSignal): Promise<void> {
    const { log, metrics } = this.#options
    const onBytes = (bytes: number) => {
      this.progress += bytes
      metrics.bytes.inc(bytes)
    }
    const onWait = (error: Error) => log.warn({ event: 'store.waiting', err: error }, error.message)
    const patience = new Patience({ timeoutMs: WAIT_OUT_MS, onWait, signal })
    const engine = this.#member.engine
    try {
      const options = { ...this.#options, engine, signal, patience, onBytes }
      this.ready = await fetchNewest(plan, [], options, (damaged) => {
        metrics.restores.inc({ outcome: 'damaged' })
        this.#member.noteDamaged(damaged)
      })
      metrics.restores.inc({ outcome: 'good' })
    } catch (error) {
      if (isError(error, 'CANCELLED') && signal.aborted) return
      metrics.restores.inc({ outcome: 'failed' })
      this.failure = messageOf(error)
      log.error({ event: 'follow.prepare_failed', err: error }, this.failure)
    }
  }
}
