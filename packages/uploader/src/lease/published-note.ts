import type { Position } from '@meili-ha/core/catalog/names.ts'
import type { BootClock } from '@meili-ha/core/ha/boot-clock.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { publishedSchema, type Published } from '@meili-ha/core/ha/sync.ts'
import { Exclusive } from '../exclusive.ts'
import type { SeqNote } from '../publish-snapshot.ts'

type Facts = Pick<
  Published,
  | 'newest'
  | 'nextSeq'
  | 'claimed'
  | 'final'
  | 'failed'
  | 'stale'
  | 'progress'
  | 'dataBytes'
  | 'bytesPerSecond'
>

const NOTHING: Facts = {
  newest: null,
  nextSeq: null,
  claimed: null,
  final: null,
  failed: null,
  stale: null,
  progress: 0,
  dataBytes: null,
  bytesPerSecond: null,
}

/** `/ha/published.json`: what the keeper and the fetcher know of this uploader. */
export class PublishedNote implements SeqNote {
  readonly #ha: HaDir
  readonly #clock: BootClock
  /** One write after the other: of two at once the older could come last. */
  readonly #writing = new Exclusive()
  #facts: Facts = NOTHING

  constructor(ha: HaDir, clock: BootClock) {
    this.#ha = ha
    this.#clock = clock
  }

  get facts(): Readonly<Facts> {
    return this.#facts
  }

  /** Takes up what an earlier uploader of this boot had noted. */
  async load(): Promise<void> {
    const noted = await this.#ha.readJson('published.json', publishedSchema)
    if (noted?.bootId === this.#clock.bootId()) this.#facts = { ...NOTHING, ...noted }
  }

  /** The lowest seq that wasn't used yet, of the epoch it was noted in. */
  lowest(): Position | null {
    return this.#facts.nextSeq
  }

  /** Notes that a seq is used, before the first request that uses it. */
  async use({ epoch, seq }: Position): Promise<void> {
    await this.set({ nextSeq: { epoch, seq: seq + 1 } })
  }

  async set(change: Partial<Facts>): Promise<void> {
    this.#facts = { ...this.#facts, ...change }
    await this.#writing.run(() =>
      this.#ha.writeJson('published.json', {
        ...this.#facts,
        writtenAt: this.#clock.now(),
        bootId: this.#clock.bootId(),
      }),
    )
  }
}
