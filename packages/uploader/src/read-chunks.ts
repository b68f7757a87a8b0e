import type { FileHandle } from 'node:fs/promises'

/** Large enough that system calls don't show, small enough to stay in the cache. */
const CHUNK = 256 * 1024

/**
 * Reads an open file from its start by position: the descriptor's own stays untouched. A
 * chunk holds until the next one is asked for: all of them are read into the same buffer, since the
 * garbage collector lets some 60 MiB of used ones pile up.
 */
export async function* readChunks(handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, size))
  for (let position = 0; position < size;) {
    const length = Math.min(buffer.length, size - position)
    const { bytesRead } = await handle.read(buffer, 0, length, position)
    // A file that became shorter: the verification sees a torn end.
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
