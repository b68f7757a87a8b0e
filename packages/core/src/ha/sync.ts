import * as z from 'zod'
import { snapshotIdSchema } from '../catalog/snapshot-id.ts'

const count = z.int().min(0)

/**
 * What an epoch begins with, decided once. `of` is the claimed manifest; null = an empty beginning,
 * or an adopted directory. `archive`: the claim's object is an archive of the stopped directory,
 * because nothing published holds it (adopted, or its tarball is gone from the store).
 */
export const claimSchema = z.looseObject({
  epoch: count,
  of: snapshotIdSchema.nullable(),
  archive: z.literal(true).optional(),
})

/** `/ha/sync.json`, written by the fetcher alone: what the data directory holds, and whether it may lead. */
export const syncSchema = z.looseObject({
  /** Centiseconds of boot time at which this was written, and on which boot. */
  writtenAt: count,
  bootId: z.string(),
  /** The fetcher has decided about the data directory (design section 6); nothing runs before. */
  decided: z.boolean(),
  clusterId: z.string().nullable(),
  /** The snapshot the directory grew from; null = none (empty, or adopted). */
  holds: z
    .looseObject({
      id: snapshotIdSchema,
      epoch: count,
      seq: count,
      tarball: z.string().nullable(),
      snapshotStartedAt: z.string().nullable(),
      lastTaskUid: count.nullable(),
      /** What `--annotate-command` printed just before that snapshot was asked for. */
      annotations: z.string().nullable().optional(),
    })
    .nullable(),
  /** Epochs in which this directory took writes. */
  primaryIn: z.array(count),
  /** The claim decided for a promotion, as the lineage holds it. */
  claim: claimSchema.nullable(),
  /** What the store held at the last LIST that succeeded; null = never listed, or nothing there. */
  newestEpoch: count.nullable(),
  newest: snapshotIdSchema.nullable(),
  /** Centiseconds of boot time of that LIST; null = never. */
  listedAt: count.nullable(),
  /** How often it LISTs, in centiseconds: `--poll`. */
  listsEvery: count.optional(),
  /** The store has never been initialised: only the bootstrap member may lead. */
  uninitialised: z.boolean(),
  /** Nobody has published anything that could be restored: it waits, and nothing is amiss. */
  waitsForFirst: z.boolean().optional(),
  /** Seconds that what it holds is behind the newest published snapshot; 0 = level. */
  lagSeconds: z.number().min(0).nullable(),
  /** May be promoted; `reason` says why not. */
  ready: z.boolean(),
  reason: z.string().nullable(),
  /** The snapshot that is unpacked and waits for `want swap`. */
  asksSwap: snapshotIdSchema.nullable(),
  /** The `want` line that has been carried out, verbatim. */
  acknowledged: z.string().nullable(),
  /** Why the `want` can't be carried out; the keeper gives the lease back. */
  failed: z.looseObject({ want: z.string(), message: z.string() }).nullable(),
  /** Bytes or milliseconds that grow while a `want` is worked on: no growth = no progress. */
  progress: count,
})

export type Sync = z.infer<typeof syncSchema>

/** `/ha/published.json`, written by the uploader alone. */
export const publishedSchema = z.looseObject({
  writtenAt: count,
  bootId: z.string(),
  /** Newest id published by this member, and when its making began. */
  newest: z
    .looseObject({ id: snapshotIdSchema, snapshotStartedAt: z.string().nullable() })
    .nullable(),
  /** A seq noted before its PUT is never used for other content. */
  nextSeq: z.looseObject({ epoch: count, seq: count }).nullable(),
  /** Epoch whose claim is written in the store. */
  claimed: count.nullable(),
  /** Identity of the snapshot file that lay there when the claim was written: never published. */
  stale: z.string().nullable().optional(),
  /** Epoch whose final snapshot is published, and its id and tarball. */
  final: z.looseObject({ epoch: count, id: snapshotIdSchema, tarball: z.string() }).nullable(),
  failed: z.looseObject({ want: z.string(), message: z.string() }).nullable(),
  progress: count,
  /** Bytes of the data directory when it was last published. */
  dataBytes: count.nullable().optional(),
  /** Measured bytes per second of the last archive or upload: for the estimate of a switch-over. */
  bytesPerSecond: z.number().nullable(),
})

export type Published = z.infer<typeof publishedSchema>
