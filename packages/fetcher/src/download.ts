import { checkDigests } from '@meili-ha/core/archive/digests.ts'
import type { ManifestObject } from '@meili-ha/core/catalog/manifest.ts'
import { isError, MeiliHaError } from '@meili-ha/core/errors.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import type { Patience } from './patience.ts'

/**
 * Measured on a 4 GiB snapshot from S3: 152 MiB of peak RSS with three in flight, 161 with four, which
 * were not faster; larger ranges take more. One more buffer is in use, for the range being unpacked.
 */
const RANGE_BYTES = 4 * 1024 * 1024
const IN_FLIGHT = 3

export interface DownloadOptions {
  patience: Patience
  signal: AbortSignal
  onBytes?: (bytes: number) => void
}

/**
 * The bytes of a published tarball, in order, each part checked against the manifest: read in
 * parallel ranges of one version of the object, into buffers that are used again. A chunk is valid
 * until the next one is asked for.
 * @throws SNAPSHOT_DAMAGED when the tarball is gone, swapped, of another size or content;
 * STORE_*, CANCELLED
 */
export async function* downloadTarball(
  store: Store,
  object: ManifestObject,
  options: DownloadOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const found = await options.patience.insist(() => store.head(object.key))
  if (!found) throw damaged(`its tarball ${object.key} is gone`)
  if (found.size !== object.size) {
    throw damaged(`its tarball has ${found.size} bytes instead of ${object.size}`)
  }
  yield* checkDigests(readRanges(store, object, found.etag, options), object)
}

async function* readRanges(
  store: Store,
  { key, size }: ManifestObject,
  etag: string,
  { patience, signal, onBytes }: DownloadOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const stop = new AbortController()
  const stopped = AbortSignal.any([signal, stop.signal])
  const free: Buffer[] = []

  const read = (start: number): Promise<Buffer> =>
    patience.insist(async () => {
      const end = Math.min(start + RANGE_BYTES, size) - 1
      // A buffer of a failed attempt isn't used again: a late read may still write into it.
      const into = free.pop() ?? Buffer.allocUnsafeSlow(Math.min(RANGE_BYTES, size))
      const { body } = await store.get(key, {
        range: { start, end },
        ifMatch: etag,
        into,
        signal: stopped,
      })
      onBytes?.(body.length)
      return body
    })

  const flying: Promise<Buffer>[] = []
  let next = 0
  const launch = () => {
    while (flying.length < IN_FLIGHT && next < size) {
      const range = read(next)
      // Awaited in its turn; if that never comes, its failure is nobody's business.
      range.catch(() => {})
      flying.push(range)
      next += RANGE_BYTES
    }
  }
  try {
    for (launch(); flying.length > 0; launch()) {
      const bytes = await (flying.shift() as Promise<Buffer>)
      launch()
      yield bytes
      free.push(whole(bytes))
    }
  } catch (error) {
    throw goneOrChanged(error, key)
  } finally {
    stop.abort()
    await Promise.allSettled(flying)
  }
}

/** The buffer of which a chunk is a view. */
function whole(chunk: Buffer): Buffer {
  return Buffer.from(chunk.buffer)
}

function goneOrChanged(error: unknown, key: string): unknown {
  if (isError(error, 'STORE_CONFLICT')) return damaged(`${key} was replaced while it was read`)
  if (isError(error, 'STORE_NOT_FOUND')) return damaged(`${key} vanished while it was read`)
  return error
}

function damaged(what: string): MeiliHaError {
  return new MeiliHaError('SNAPSHOT_DAMAGED', what)
}
