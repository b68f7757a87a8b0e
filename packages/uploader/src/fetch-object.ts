import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Host } from '@meili-ha/core/cli/host.ts'
import { startProgress } from '@meili-ha/core/cli/progress.ts'
import { storeFromFlags, type StoreFlags } from '@meili-ha/core/cli/store-from-flags.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'

const RANGE = 8 * 1024 * 1024

export interface FetchedObject extends AsyncDisposable {
  path: string
}

/**
 * Downloads `s3://bucket/key` into a temporary file, pinned to the version found first; it goes
 * with the scope. Needs as much room in TMPDIR as the object has bytes.
 * @throws STORE_NOT_FOUND, STORE_CONFLICT when it is replaced meanwhile, and what the store throws
 */
export async function fetchObject(
  host: Host,
  url: string,
  flags: StoreFlags,
  log: Logger,
): Promise<FetchedObject> {
  const slash = url.lastIndexOf('/')
  const [prefix, key] = [url.slice(0, slash), url.slice(slash + 1)]
  const store = await storeFromFlags(host, { ...flags, store: prefix })
  const directory = await mkdtemp(join(tmpdir(), 'meili-ha-publish-'))
  const remove = () => rm(directory, { recursive: true, force: true })
  try {
    const found = await store.head(key)
    if (!found) throw new MeiliHaError('STORE_NOT_FOUND', `there is no object ${url}`)
    const path = join(directory, 'fetched.snapshot')
    await using file = await open(path, 'wx', 0o600)
    const progress = startProgress(host, log, 'download', found.size)
    for (let start = 0; start < found.size; start += RANGE) {
      const end = Math.min(start + RANGE, found.size) - 1
      const options = { range: { start, end }, ifMatch: found.etag, signal: host.signal }
      const { body } = await store.get(key, options)
      await file.write(body, 0, body.length, start)
      progress.add(body.length)
    }
    progress.end()
    return { path, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  } finally {
    store.close()
  }
}
