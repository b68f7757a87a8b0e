import { claimAfter, claimChain, claimed, type ClaimChain } from './chain.ts'
import { only, type Entry, type ManifestSeen, type Write } from './history.ts'
import { epochsOf } from './terms.ts'

/** A failover may have lost it: the claim that history went on with need not hold it. */
interface Losable {
  kind: 'losable'
  claim: ManifestSeen
  of: ManifestSeen | undefined
  /** In which it was taken. */
  epoch: number
}

/** What the promises say about an acknowledged write. */
export type Fate =
  /** It must be there in the end. */
  | { kind: 'kept'; why: string }
  | Losable
  /** Nobody led where it was taken. */
  | { kind: 'stray' }

export interface Fates {
  chain: ClaimChain
  of: ReadonlyMap<Write, Fate>
}

/** Between the acknowledgement's arrival here and the times that Meilisearch writes down. */
const CLOCKS_MS = 100

/** Decides for each acknowledged write whether anything allows it to be missing. */
export function fatesOf(entries: readonly Entry[]): Fates {
  const chain = claimChain(entries)
  const epochs = epochsOf(entries)
  const acknowledged = only(entries, 'write').filter(({ outcome }) => outcome === 'ok')
  const fateOf = (write: Write): Fate => {
    const fates = epochs(write).map((epoch) => fateIn(chain, write, epoch))
    // Where it could have been either of two terms, only what both promise is promised.
    return fates.find(({ kind }) => kind === 'losable') ?? fates[0] ?? { kind: 'stray' }
  }
  return { chain, of: new Map(acknowledged.map((write) => [write, fateOf(write)])) }
}

/**
 * One step of history decides: the claim that passed over the write's epoch. Whatever was published or
 * claimed after it grew from what it named.
 */
function fateIn(chain: ClaimChain, write: Write, epoch: number): Fate {
  const claim = claimAfter(chain, epoch)
  if (!claim) return { kind: 'kept', why: `epoch ${epoch} never ended` }
  const of = claimed(chain, claim)
  if (of?.epoch === epoch && of.seq > 0 && holds(of, write)) {
    return { kind: 'kept', why: `epoch ${claim.epoch} claimed ${of.id}, which holds it` }
  }
  return { kind: 'losable', claim, of, epoch }
}

/** Whether a snapshot of the write's own epoch must hold it. */
function holds(snapshot: ManifestSeen, { completed, taskUid }: Write): boolean {
  if (snapshot.final) return true
  const { lastTaskUid, startedAt } = snapshot
  if (taskUid !== null && lastTaskUid !== null && taskUid <= lastTaskUid) return true
  return startedAt !== null && completed < startedAt - CLOCKS_MS
}

/** Whether history can't have gone on with the write: the claim is of something finished before it was sent. */
export function wasLeftBehind({ claim, of, epoch }: Losable, { invoked }: Write): boolean {
  if (claim.of === null) return true
  // Of an older epoch, or of a manifest that nobody saw: not the step that tells.
  if (of?.epoch !== epoch) return false
  if (of.seq === 0) return true
  return !of.final && of.finishedAt !== null && invoked > of.finishedAt + CLOCKS_MS
}
