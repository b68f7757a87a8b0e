import type { BootClock } from '@meili-ha/core/ha/boot-clock.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { publishedSchema, type Published } from '@meili-ha/core/ha/sync.ts'

type Facts = Pick<
  Published,
  'newest' | 'nextSeq' | 'claimed' | 'final' | 'failed' | 'stale' | 'progress' | 'bytesPerSecond'
>

const NOTHING: Facts = {
  newest: null,
  nextSeq: null,
  claimed: null,
  final: null,
  failed: null,
  stale: null,
  progress: 0,
  bytesPerSecond: null,
}

/** `/ha/published.json`: what the keeper and the fetcher know of this uploader. */
export class PublishedNote {
  readonly #ha: HaDir
  readonly #clock: BootClock
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

  async set(change: Partial<Facts>): Promise<void> {
    this.#facts = { ...this.#facts, ...change }
    await this.#ha.writeJson('published.json', {
      ...this.#facts,
      writtenAt: this.#clock.now(),
      bootId: this.#clock.bootId(),
    })
  }
}
