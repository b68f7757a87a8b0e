import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { LINEAGE_FILE } from '@meili-ha/core/data-dir/lineage.ts'

/** Every file of a data directory with its SHA-256, every directory; the lineage left out. */
export async function treeOf(directory: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {}
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(directory, path)
    if (name.endsWith(LINEAGE_FILE)) continue
    tree[name] = entry.isDirectory()
      ? 'directory'
      : createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
  }
  return tree
}

/** What another tar reader makes of a snapshot. */
export async function treeOfSnapshot(file: string): Promise<Record<string, string>> {
  const directory = await mkdtemp(join(tmpdir(), 'meili-ha-tree-'))
  try {
    await mkdir(directory, { recursive: true })
    execFileSync('tar', ['-xzf', file, '-C', directory])
    return await treeOf(directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}
