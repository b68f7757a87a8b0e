import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { combineDigests } from '@meili-ha/core/archive/digests.ts'
import { partSizeFor } from '@meili-ha/core/store/part-size.ts'
import { treeOfSnapshot } from '../fetcher/tree.ts'
import { bigSnapshot } from '../generate/big-snapshot.ts'
import { FIXTURES } from '../uploader/programs.ts'

/** A snapshot as Meilisearch made it, to compare everything with that says it is the same. */
export interface Original {
  file: string
  bytes: Buffer
  /** As manifests and lineages name it. */
  sha256: string
  /** As another tar reader unpacks it. */
  tree: Record<string, string>
}

/** Real ones of one part, and made-up ones of several. */
export async function originals(directory: string): Promise<Original[]> {
  const real = ['empty', 'catalogue', 'backlog'].map((name) => join(FIXTURES, `${name}.snapshot`))
  const big = [9, 17, 21].map((megabytes) => join(directory, `${megabytes}.snapshot`))
  for (const [index, file] of big.entries()) await bigSnapshot(file, [9e6, 17e6, 21e6][index] ?? 0)
  return Promise.all([...real, ...big].map(describeOriginal))
}

async function describeOriginal(file: string): Promise<Original> {
  const bytes = await readFile(file)
  return { file, bytes, sha256: sha256Of(bytes), tree: await treeOfSnapshot(file) }
}

function sha256Of(bytes: Buffer): string {
  const partSize = partSizeFor(bytes.length)
  const parts: string[] = []
  for (let start = 0; start < bytes.length; start += partSize) {
    const part = bytes.subarray(start, start + partSize)
    parts.push(createHash('sha256').update(part).digest('hex'))
  }
  return combineDigests(parts)
}

/** Puts a snapshot where Meilisearch would, and as it does. */
export async function rotateIn({ file }: Original, snapshots: string): Promise<void> {
  await mkdir(snapshots, { recursive: true })
  await copyFile(file, join(snapshots, '.tmpAAAAAA'))
  await rename(join(snapshots, '.tmpAAAAAA'), join(snapshots, 'data.ms.snapshot'))
}
