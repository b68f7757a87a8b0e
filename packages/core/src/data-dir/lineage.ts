import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { snapshotIdSchema } from '../catalog/snapshot-id.ts'
import { MeiliHaError } from '../errors.ts'
import { claimSchema } from '../ha/sync.ts'

/** The lineage's file name inside `data.ms`. */
export const LINEAGE_FILE = 'meili-ha.json'

const count = z.int().min(0)

/** What a data directory grew from. Lives inside it, so the two are renamed as one. */
export const lineageSchema = z.looseObject({
  format: z.literal(1),
  clusterId: z.string(),
  /** The published snapshot it was restored from, or was last published as; null = none yet. */
  snapshotId: snapshotIdSchema.nullable(),
  /** That snapshot's tarball sha256 (the manifest's object.sha256): "level with" compares this. */
  tarball: z.string().nullable(),
  /** Epochs in which it took writes; empty = never, so it may be replaced freely. */
  primaryIn: z.array(count),
  /** The claim decided for the newest promotion. */
  claim: claimSchema.nullable(),
  /** Newest task uid when Meilisearch first started on it; null = not read yet. */
  lastTaskUid: count.nullable(),
})

export type Lineage = z.infer<typeof lineageSchema>

/**
 * The lineage of a data directory; undefined when it has none.
 * @throws DATA_DIR_UNKNOWN when there is one that can't be read: never guessed at.
 */
export async function readLineage(dataMs: string): Promise<Lineage | undefined> {
  let text: string
  try {
    text = await readFile(join(dataMs, LINEAGE_FILE), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return lineageSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new MeiliHaError('DATA_DIR_UNKNOWN', `${join(dataMs, LINEAGE_FILE)} is damaged`, {
      cause,
    })
  }
}
