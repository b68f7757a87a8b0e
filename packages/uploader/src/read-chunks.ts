import type { FileHandle } from 'node:fs/promises'

/** Large enough that system calls don't show, small enough to stay in the cache. */
const CHUNK = 1024 * 1024

/** Reads an open file from its start by position, so that others may read it at the same time. */
export async function* readChunks(handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let position = 0; position < size;) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size - position))
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
    // A file that became shorter: the verification sees a torn end.
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
