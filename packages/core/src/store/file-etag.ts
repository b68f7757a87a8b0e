import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/**
 * Gives a file that is about to appear under its key a modification time that no other write of
 * that key has: this second, and a random fraction of it (22 bits, all that a double holds).
 *
 * The kernel's own times won't do: they tick every few milliseconds, and an inode is reused as soon
 * as it is free, so two replacements within one tick can bring the first version's inode, size and
 * time back [a stale If-Match would then win]. Being part of the file, it needs no second write.
 */
export async function stampVersion(
  file: FileHandle,
  nowMs: number,
  random: () => number,
): Promise<void> {
  const time = Math.floor(nowMs / 1000) - random()
  await file.utimes(time, time)
}

/** Equal only for the same write. Takes nothing that linking or renaming changes (ctime, links). */
export function etagOf({ ino, size, mtimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs].map((value) => value.toString(36)).join('-')
}
