import type { Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { systemBootClock } from '@meili-ha/core/ha/boot-clock.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import type { Exclusive } from '../exclusive.ts'
import type { SeqNote } from '../publish-snapshot.ts'
import { identityAt } from '../snapshot-file.ts'
import { snapshotPath } from '../upload-loop.ts'
import type { Parts } from '../wire.ts'
import { obeyWants } from './obey.ts'
import { handedOver } from './outlive.ts'
import { PublishedNote } from './published-note.ts'
import { TermWriter } from './term-writer.ts'

export interface TermLoop {
  run(signal: AbortSignal): Promise<void>
  /** True for the snapshot file that lay there when the epoch's claim was written, or earlier. */
  isStale(identity: string): boolean
  /** The last epoch whose claim this member wrote; null = none. */
  claimed(): number | null
  seqs: SeqNote
  /** Notes what this member has published, and what it took, for keeper and fetcher. */
  published(manifest: Manifest, durationMs: number): Promise<void>
  /** Resolves when the uploader may end after SIGTERM. */
  handedOver(): Promise<void>
}

export interface TermLoopOptions {
  ha: HaDir
  member: string
  /** gzip level of archives of a stopped directory. */
  level: number
  exclusive: Exclusive
  /** Ends an upload under way: it doesn't go into another epoch, nor hold up a hand-over. */
  stopUpload: () => void
}

/** The uploader's part in leadership: claims, final snapshots, and the note about both. */
export async function termLoop(parts: Parts, options: TermLoopOptions): Promise<TermLoop> {
  const { catalog, log, paths } = parts
  const { ha, member, level, exclusive, stopUpload } = options
  const clock = systemBootClock
  const note = new PublishedNote(ha, clock)
  await note.load()
  // What lay there when the claim was written may be older than what was claimed. An uploader that
  // starts before any claim of its own takes what it finds for old.
  const markStale = async () => {
    await note.set({ stale: (await identityAt(snapshotPath(paths))) ?? null })
  }
  const published = async (manifest: Manifest, durationMs?: number) => {
    const { id, object, tasks, contents } = manifest
    const snapshotStartedAt = tasks.snapshotStartedAt ?? null
    // One that was there already took no time, which says nothing about the line.
    const isMeasured = durationMs !== undefined && object !== null && note.facts.newest?.id !== id
    await note.set({
      newest: { id, snapshotStartedAt },
      dataBytes: contents.unpackedBytes,
      ...(isMeasured && {
        bytesPerSecond: Math.round((object.size * 1000) / Math.max(1, durationMs)),
      }),
    })
  }
  const writer = new TermWriter({
    catalog,
    member,
    dataMs: paths.live,
    ha,
    clock,
    note,
    log,
    level,
    onPublished: async (manifest) => {
      if (manifest.claim) await markStale()
      await published(manifest)
    },
  })
  const alone = {
    claim: (...call: Parameters<TermWriter['claim']>) => {
      stopUpload()
      return exclusive.run(() => writer.claim(...call))
    },
    final: (...call: Parameters<TermWriter['final']>) => {
      stopUpload()
      return exclusive.run(() => writer.final(...call))
    },
  }
  if (note.facts.claimed === null) await markStale()
  return {
    run: (signal) => obeyWants({ ha, note, writer: alone, log }, signal),
    isStale: (identity) => note.facts.stale === identity,
    claimed: () => note.facts.claimed,
    seqs: note,
    published,
    handedOver: () => handedOver(ha, parts.terms, note),
  }
}
