import type { SizedFile } from '@meili-ha/core/store/store.ts'

/** An open file that one reads by position, and another sees as it is read. */
export interface SharedRead {
  /** For the reader. */
  file: SizedFile
  /**
   * What the reader asked for, each byte once and in order, also if it is read again. A piece lies in
   * its buffer and holds until the next one is asked for; until then the reader waits.
   */
  seen: AsyncGenerator<Buffer, void, undefined>
  /** Ends `seen` where it is: nobody reads on. */
  stop: () => void
}

/**
 * Lets an upload and a verification share one reading of a file: half the reads, and what is verified
 * is what is sent (but for a second try, which reads again). Who looks must look to the end, where
 * `seen` ends by itself, or leave it; the reader doesn't wait for it afterwards.
 */
export function readAlong(whole: SizedFile): SharedRead {
  let position = 0
  const ended = new AbortController()
  let shown: { bytes: Buffer; done: () => void } | undefined
  let wake = () => {}

  const stop = () => {
    ended.abort()
    shown?.done()
    wake()
  }
  const show = async (bytes: Buffer) => {
    position += bytes.length
    await new Promise<void>((done) => {
      shown = { bytes, done }
      wake()
    })
  }
  const read = async (buffer: Buffer, offset: number, length: number, from: number) => {
    const result = await whole.handle.read(buffer, offset, length, from)
    const known = position - from
    if (!ended.signal.aborted && known >= 0 && known < result.bytesRead) {
      await show(buffer.subarray(offset + known, offset + result.bytesRead))
    }
    return result
  }
  async function* look(): AsyncGenerator<Buffer, void, undefined> {
    try {
      while (!ended.signal.aborted && (shown || position < whole.size)) {
        if (!shown) await new Promise<void>((resolve) => (wake = resolve))
        if (!shown) continue
        const { bytes, done } = shown
        yield bytes
        shown = undefined
        done()
      }
    } finally {
      stop()
    }
  }
  return { file: { handle: { read } as SizedFile['handle'], size: whole.size }, seen: look(), stop }
}
