import { statfs } from 'node:fs/promises'
import { MeiliHaError } from '../errors.ts'

/** Others write to the volume too: it is asked again after this many bytes. */
const ASK_EVERY_BYTES = 256 * 1024 * 1024

/** Bytes that this process may still use on the volume that holds `path`. */
export async function freeBytesOf(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

/** Keeps a part of the volume free while something large is written to it. */
export class DiskBudget {
  readonly #free: () => Promise<number>
  readonly #reserve: number
  #granted = 0

  /** @param free bytes free now; @param reserve bytes that must stay free */
  constructor(free: () => Promise<number>, reserve: number) {
    this.#free = free
    this.#reserve = reserve
  }

  /** @throws DISK_FULL when `bytes` more don't fit */
  async require(bytes: number): Promise<void> {
    if (bytes <= this.#granted) return
    const free = await this.#free()
    const left = free - this.#reserve
    if (bytes > left) {
      throw new MeiliHaError(
        'DISK_FULL',
        `${bytes} bytes are needed and ${free} are free, of which ${this.#reserve} must stay so`,
      )
    }
    this.#granted = Math.min(left, ASK_EVERY_BYTES)
  }

  /** Counts `bytes` that are about to be written. @throws DISK_FULL */
  async spend(bytes: number): Promise<void> {
    await this.require(bytes)
    this.#granted -= bytes
  }
}
