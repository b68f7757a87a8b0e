import { readdir, rename, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { syncDirectory } from '../store/file-durable.ts'
import { assertNotOpen } from './open-by.ts'
import type { DataPaths } from './paths.ts'
import { reclaimReplaced } from './swap.ts'

/** A directory that holds, or may hold, writes that were never published. */
export interface SetAside {
  /** Its own name, beside `data.ms`. */
  name: string
  path: string
  /** The last epoch in which it took writes. */
  epoch: number
  setAsideAt: Date
  /** Bytes of its files on disk. */
  bytes: number
}

/** Oldest first. */
export async function listSetAside(paths: DataPaths): Promise<SetAside[]> {
  const pattern =
    /^(.*)\.diverged-([0-9]+)-([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z$/
  const names = await readdir(paths.parent).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const found: SetAside[] = []
  for (const name of names) {
    const match = pattern.exec(name)
    if (match?.[1] !== basename(paths.live)) continue
    const [, , epoch, y, mo, d, h, mi, s] = match
    const path = join(paths.parent, name)
    const setAsideAt = new Date(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`)
    found.push({ name, path, epoch: Number(epoch), setAsideAt, bytes: await bytesOf(path) })
  }
  return found.toSorted((a, b) => a.setAsideAt.getTime() - b.setAsideAt.getTime())
}

/**
 * Removes one for good. Renamed first: what still bears the name of a set-aside directory is whole,
 * even if this is killed half-way.
 * @throws DATA_DIR_IN_USE when a Meilisearch still runs on it
 */
export async function discardSetAside(paths: DataPaths, { path }: SetAside): Promise<void> {
  await assertNotOpen(path)
  await reclaimReplaced(paths)
  await rename(path, paths.replaced)
  await syncDirectory(paths.parent)
  await reclaimReplaced(paths)
}

async function bytesOf(path: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const { blocks } = await stat(join(entry.parentPath, entry.name))
    // LMDB's files have holes; `blocks` counts what a removal gives back, in units of 512.
    bytes += blocks * 512
  }
  return bytes
}
