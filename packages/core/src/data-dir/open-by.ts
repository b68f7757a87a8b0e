import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MeiliHaError } from '../errors.ts'

/**
 * Refuses to touch a data directory on which a Meilisearch runs. Renamed away beneath it, it would go
 * on taking writes there, and put the indexes it opens later into the directory that came instead.
 * LMDB keeps a lock on its lock file for as long as it is open, and the kernel lists those. It
 * lists them only to who may see the process: between containers the guard is what protects.
 * @throws DATA_DIR_IN_USE, which names the process
 */
export async function assertNotOpen(
  directory: string,
  locksOfKernel: () => Promise<string> = () => readFile('/proc/locks', 'utf8'),
): Promise<void> {
  const file = await stat(join(directory, 'tasks', 'lock.mdb')).catch(() => undefined)
  // Neither without it: a fresh or foreign directory, a system that has no /proc.
  const locks = file && (await locksOfKernel().catch(() => undefined))
  if (!locks) return
  const pid = holderOf(locks, file)
  if (pid === undefined) return
  throw new MeiliHaError('DATA_DIR_IN_USE', `Meilisearch (process ${pid}) runs on ${directory}`)
}

/** `1: POSIX  ADVISORY  READ 4711 fe:00:9980309 0 0`: process, device (hexadecimal) and inode. */
function holderOf(locks: string, { dev, ino }: { dev: number; ino: number }): string | undefined {
  for (const [, pid, major, minor, inode] of locks.matchAll(
    /^\d+: \S+\s+\S+\s+\S+\s+(\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /gm,
  )) {
    if (Number(inode) !== ino) continue
    if (Number.parseInt(major as string, 16) !== majorOf(dev)) continue
    if (Number.parseInt(minor as string, 16) === minorOf(dev)) return pid
  }
  return undefined
}

/** glibc's packing of a device number: MMMM Mmmm mmMM Mmmm, up to 32 bits here. */
const majorOf = (dev: number) => Math.floor(dev / 0x100) % 0x1000
const minorOf = (dev: number) => (dev % 0x100) + Math.floor(dev / 0x100000) * 0x100
