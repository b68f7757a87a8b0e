import type { FollowOptions } from './follow-options.ts'
import type { Member } from './member.ts'
import type { Preparation } from './preparation.ts'
import { swapPrepared } from './swap-prepared.ts'

/** Routers need a moment to notice that this member is out of the read routing. */
const UNROUTE_MS = 2000

/** When what was prepared is moved in. */
export class Swapping {
  readonly #options: FollowOptions
  readonly #member: Member
  readonly #preparation: Preparation
  #swappedAt = Number.NEGATIVE_INFINITY
  #outUntil: number | undefined

  constructor(options: FollowOptions, member: Member, preparation: Preparation) {
    this.#options = options
    this.#member = member
    this.#preparation = preparation
  }

  /** `--swap-every` has passed since the last one. */
  get due(): boolean {
    return this.#options.monotonic() - this.#swappedAt >= this.#options.swapEveryMs
  }

  /** Without a keeper, readers are sent elsewhere by our own /readyz. */
  get outOfRouting(): boolean {
    return this.#outUntil !== undefined
  }

  async now(): Promise<void> {
    await swapPrepared(this.#options, this.#member, this.#preparation)
    this.#swappedAt = this.#options.monotonic()
  }

  /** First out of the read routing, then, some turns later, the swap. */
  async byItself(): Promise<void> {
    const { monotonic } = this.#options
    this.#outUntil ??= monotonic() + UNROUTE_MS
    if (monotonic() < this.#outUntil) return
    try {
      await this.now()
    } finally {
      this.#outUntil = undefined
    }
  }
}
