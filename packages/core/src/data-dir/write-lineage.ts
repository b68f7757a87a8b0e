import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '../store/file-durable.ts'
import { LINEAGE_FILE, type Lineage } from './lineage.ts'

/**
 * Writes or replaces the lineage of a data directory. On disk when this returns: who leads on a
 * claim that a power cut forgets would decide another one.
 */
export async function writeLineage(dataMs: string, lineage: Lineage): Promise<void> {
  await writeDurably(dataMs, LINEAGE_FILE, `${JSON.stringify(lineage)}\n`)
}

/**
 * Makes Meilisearch take the directory as its own version's, as its import of a snapshot does; it
 * then upgrades what is older by a task of its own (facts: 1.13 and later).
 */
export async function writeVersion(dataMs: string, version: string): Promise<void> {
  await writeDurably(dataMs, 'VERSION', version)
}

/** By rename: a reader, or a crash, finds the old or the new one whole. */
async function writeDurably(directory: string, name: string, text: string): Promise<void> {
  const temporary = join(directory, `.${name}.new`)
  const file = await open(temporary, 'w')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, join(directory, name))
  await syncDirectory(directory)
}
