/**
 * The buffers of one upload, kept for the next one. Left to the garbage collector, those of the last
 * upload still take memory while the next allocates its own: 24 MiB more at the peak, measured.
 */
export class PartBuffers {
  #kept: Buffer[] = []

  take(count: number, partSize: number): Buffer[] {
    const kept = this.#kept.filter(({ length }) => length === partSize).slice(0, count)
    this.#kept = []
    const missing = Array.from({ length: count - kept.length }, () =>
      Buffer.allocUnsafeSlow(partSize),
    )
    return [...kept, ...missing]
  }

  /** Only what nothing can write into any more: never after a failed upload. */
  keep(buffers: Buffer[]): void {
    this.#kept = buffers
  }
}
