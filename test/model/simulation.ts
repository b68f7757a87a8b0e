/** Simulated time in centiseconds, one queue of what happens next, and seeded chance: a seed is a history. */
export class Simulation {
  now = 0
  #sequence = 0
  readonly #heap: { at: number; sequence: number; run: () => void }[] = []
  #seed: number

  constructor(seed: number) {
    this.#seed = seed | 0
  }

  /** 0 <= x < 1 (mulberry32). */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** A whole number from `low` to `high`, both inclusive. */
  between(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random() < probability
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.random() * items.length)]
  }

  at(at: number, run: () => void): void {
    const heap = this.#heap
    const entry = { at: Math.max(at, this.now), sequence: this.#sequence++, run }
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (before(heap[parent]!, entry)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = entry
  }

  after(delay: number, run: () => void): void {
    this.at(this.now + delay, run)
  }

  /** Runs everything up to `end`, or until `done` says so. */
  runUntil(end: number, done: () => boolean = () => false): void {
    for (;;) {
      const next = this.#heap[0]
      if (!next || next.at > end) break
      this.#pop()
      this.now = next.at
      next.run()
      if (done()) return
    }
    this.now = end
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = index * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1
      if (before(last, heap[child]!)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }
}

type Entry = { at: number; sequence: number }
const before = (a: Entry, b: Entry): boolean =>
  a.at < b.at || (a.at === b.at && a.sequence < b.sequence)

/**
 * One process: whatever it does next waits while it is frozen, and never happens once it was killed.
 * Every `after` is an await at which it can freeze or die.
 */
export class Process {
  readonly #simulation: Simulation
  #life = 0
  #frozenUntil = 0
  alive = false

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  start(run: () => void): void {
    this.#life += 1
    this.alive = true
    this.#frozenUntil = 0
    run()
  }

  kill(): void {
    this.#life += 1
    this.alive = false
  }

  freeze(length: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#simulation.now + length)
  }

  thaw(): void {
    this.#frozenUntil = 0
  }

  after(delay: number, run: () => void): void {
    this.inThisLife()(delay, run)
  }

  /** `after` for an answer to what this life of the process asked: a later life never hears it. */
  inThisLife(): (delay: number, run: () => void) => void {
    const life = this.#life
    return (delay, run) => this.#step(life, delay, run)
  }

  #step(life: number, delay: number, run: () => void): void {
    const step = () => {
      if (life !== this.#life) return
      if (this.#simulation.now < this.#frozenUntil) this.#simulation.at(this.#frozenUntil, step)
      else run()
    }
    this.#simulation.after(delay, step)
  }
}
