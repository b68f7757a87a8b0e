/**
 * Pulls exact amounts out of a stream of chunks, without copying where a chunk has enough. What it
 * returns holds until it is asked for more: sources free their chunks then.
 */
export class ByteReader {
  readonly #source: AsyncIterator<Buffer>
  #chunk: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Between 1 and `max` bytes, a view of what arrived; empty only at the end. */
  async some(max: number): Promise<Buffer> {
    while (this.#chunk.length === 0) {
      const next = await this.#source.next()
      if (next.done) return this.#chunk
      this.#chunk = next.value
    }
    const taken = this.#chunk.subarray(0, max)
    this.#chunk = this.#chunk.subarray(taken.length)
    return taken
  }

  /** `length` bytes; fewer only at the end. */
  async upTo(length: number): Promise<Buffer> {
    const first = await this.some(length)
    if (first.length === length || first.length === 0) return first
    const pieces = [Buffer.from(first)]
    for (let missing = length - first.length; missing > 0;) {
      const piece = await this.some(missing)
      if (piece.length === 0) break
      pieces.push(Buffer.from(piece))
      missing -= piece.length
    }
    return Buffer.concat(pieces)
  }

  /** Everything that is left, as it comes. */
  async *rest(): AsyncGenerator<Buffer, void, undefined> {
    for (let bytes = await this.some(Infinity); bytes.length > 0;) {
      yield bytes
      bytes = await this.some(Infinity)
    }
  }

  /** Lets the source clean up; nothing may be read afterwards. */
  async close(): Promise<void> {
    await this.#source.return?.()
  }
}
