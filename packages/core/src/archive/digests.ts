import { createHash, hash, type Hash } from 'node:crypto'
import { MeiliHaError } from '../errors.ts'

/** The digests of a tarball as its manifest holds them (design section 4). */
export interface ObjectDigests {
  /** Bytes of every part but the last. */
  partSize: number
  /** Bytes of the whole. */
  size: number
  /** Hex SHA-256 of every part, in order. */
  parts: string[]
  /** Hex SHA-256 over the concatenated raw digests of the parts. */
  sha256: string
}

/** Hex SHA-256 over the raw digests of the parts: says "the same tarball" in one line. */
export function combineDigests(parts: string[]): string {
  return hash('sha256', Buffer.from(parts.join(''), 'hex'))
}

/** Digests of bytes that are fed in order, in pieces of any size. */
export class PartDigests {
  readonly #partSize: number
  readonly #parts: string[] = []
  #current: Hash | undefined
  #inPart = 0
  #size = 0

  /** @param partSize bytes of every part but the last */
  constructor(partSize: number) {
    this.#partSize = partSize
  }

  /** The parts that are complete so far, in order. */
  get parts(): readonly string[] {
    return this.#parts
  }

  update(bytes: Buffer): void {
    for (let rest = bytes; rest.length > 0;) {
      const piece = rest.subarray(0, this.#partSize - this.#inPart)
      this.#current ??= createHash('sha256')
      this.#current.update(piece)
      this.#inPart += piece.length
      this.#size += piece.length
      if (this.#inPart === this.#partSize) this.#endPart()
      rest = rest.subarray(piece.length)
    }
  }

  /** Closes the last part. Nothing may be fed afterwards. */
  finish(): ObjectDigests {
    this.#endPart()
    const parts = [...this.#parts]
    return { partSize: this.#partSize, size: this.#size, parts, sha256: combineDigests(parts) }
  }

  #endPart(): void {
    if (this.#current) this.#parts.push(this.#current.digest('hex'))
    this.#current = undefined
    this.#inPart = 0
  }
}

/** Passes bytes on and feeds them to `digests`; read `digests.finish()` once it has ended. */
export async function* computeDigests(
  source: AsyncIterable<Buffer>,
  digests: PartDigests,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const bytes of source) {
    digests.update(bytes)
    yield bytes
  }
}

/**
 * Passes bytes on while checking each part against its digest. What came through is proven only
 * once it has ended: a part's last bytes are held back until the part is right.
 * @throws SNAPSHOT_DAMAGED with the number of the part (from 0) or the size that is wrong
 */
export async function* checkDigests(
  source: AsyncIterable<Buffer>,
  expected: ObjectDigests,
): AsyncGenerator<Buffer, void, undefined> {
  const digests = new PartDigests(expected.partSize)
  let size = 0
  let checked = 0
  const check = (parts: readonly string[]) => {
    for (; checked < parts.length; checked++) {
      if (parts[checked] === expected.parts[checked]) continue
      throw new MeiliHaError('SNAPSHOT_DAMAGED', `part ${checked} is not what was published`)
    }
  }
  const checkWhole = () => {
    const whole = digests.finish()
    check(whole.parts)
    if (whole.sha256 !== expected.sha256) {
      throw new MeiliHaError('SNAPSHOT_DAMAGED', 'the manifest does not agree with itself')
    }
  }
  for await (const bytes of source) {
    digests.update(bytes)
    size += bytes.length
    if (size > expected.size) throw wrongSize('more', expected.size)
    check(digests.parts)
    if (size === expected.size) checkWhole()
    yield bytes
  }
  if (size < expected.size) throw wrongSize(`${size}`, expected.size)
}

function wrongSize(found: string, expected: number): MeiliHaError {
  return new MeiliHaError(
    'SNAPSHOT_DAMAGED',
    `the tarball has ${found} bytes instead of ${expected}`,
  )
}
