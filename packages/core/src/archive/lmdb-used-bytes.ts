import type { Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/** Where the fields of LMDB's two meta pages lie (struct MDB_meta, data format 1), from the page's start. */
const META = { magic: 16, version: 20, pageSize: 40, lastPage: 136, transaction: 144, end: 152 }
const MAGIC = 0xbeefc0de

/**
 * How many bytes of a *stopped* `data.mdb` hold its database. Under Meilisearch's
 * `--experimental-reduce-indexing-memory-usage` LMDB makes the file as long as its map, 2 TiB of it holes:
 * archiving those would never end. The same end as LMDB's own copy takes: the last page of the newest
 * transaction. A file without holes, or one that isn't understood, counts in full.
 */
export async function lmdbUsedBytes(handle: FileHandle, stats: Stats): Promise<number> {
  if (stats.blocks * 512 >= stats.size) return stats.size
  const first = await readMeta(handle, 0)
  if (!first) return stats.size
  const second = await readMeta(handle, first.pageSize)
  if (!second || second.pageSize !== first.pageSize) return stats.size
  const newest = second.transaction > first.transaction ? second : first
  const used = (newest.lastPage + 1n) * BigInt(first.pageSize)
  return used < BigInt(stats.size) ? Number(used) : stats.size
}

async function readMeta(handle: FileHandle, at: number) {
  const page = Buffer.alloc(META.end)
  const { bytesRead } = await handle.read(page, 0, META.end, at)
  if (bytesRead < META.end || page.readUInt32LE(META.magic) !== MAGIC) return undefined
  if (page.readUInt32LE(META.version) !== 1) return undefined
  return {
    pageSize: page.readUInt32LE(META.pageSize),
    lastPage: page.readBigUInt64LE(META.lastPage),
    transaction: page.readBigUInt64LE(META.transaction),
  }
}
