import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MeiliHaError } from '../errors.ts'
import { HIDDEN } from './check-key.ts'
import { etagOf } from './file-etag.ts'
import { ifAbsent } from './file-write.ts'
import type { GetOptions, ObjectInfo } from './store.ts'

/** Reads an object, or a range of it, through one descriptor: never half of one version. */
export async function readObject(path: string, { range, ifMatch, into }: GetOptions) {
  const file = await open(path, 'r')
  try {
    const stats = await file.stat({ bigint: true })
    const etag = etagOf(stats)
    if (ifMatch !== undefined && ifMatch !== etag) {
      throw new MeiliHaError('STORE_CONFLICT', 'the object is no longer the one it was', {
        remoteCode: 'PreconditionFailed',
      })
    }
    const size = Number(stats.size)
    const start = range?.start ?? 0
    if (range && start >= size) {
      throw new MeiliHaError('STORE_REFUSED', `byte ${start} of an object of ${size} bytes`, {
        remoteCode: 'InvalidRange',
      })
    }
    const length = Math.min(range?.end ?? size - 1, size - 1) - start + 1
    if (into && into.length < length) {
      throw new MeiliHaError('INTERNAL', `a body of ${length} bytes into ${into.length}`)
    }
    const body = (into ?? Buffer.allocUnsafe(length)).subarray(0, length)
    for (let filled = 0; filled < length;) {
      const { bytesRead } = await file.read(body, filled, length - filled, start + filled)
      if (bytesRead === 0) throw new MeiliHaError('STORE_UNREACHABLE', 'the file is being cut')
      filled += bytesRead
    }
    return { body, etag, size }
  } finally {
    await file.close()
  }
}

/** One object as LIST shows it; undefined when there is none. */
export async function statObject(path: string, key: string): Promise<ObjectInfo | undefined> {
  const stats = await stat(path, { bigint: true }).catch(ifAbsent)
  if (!stats?.isFile()) return undefined
  return { key, size: Number(stats.size), etag: etagOf(stats) }
}

/** Every object whose key starts with `prefix`; what disappears meanwhile is left out. */
export async function listObjects(root: string, prefix: string): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = []
  const walk = async (directory: string): Promise<void> => {
    const entries = await readdir(join(root, directory), { withFileTypes: true }).catch(ifAbsent)
    for (const entry of entries ?? []) {
      const key = `${directory}${entry.name}`
      if (key === HIDDEN) continue
      if (entry.isDirectory()) {
        const below = `${key}/`
        if (below.startsWith(prefix) || prefix.startsWith(below)) await walk(below)
      } else if (key.startsWith(prefix)) {
        const object = await statObject(join(root, key), key)
        if (object) found.push(object)
      }
    }
  }
  await walk('')
  return found
}
