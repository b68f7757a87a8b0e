import { MeiliHaError } from '../errors.ts'
import {
  isInitialised,
  tarballState,
  type Entry,
  type PartialView,
  type Restorable,
  type Unread,
} from './catalog-view.ts'
import { chainOf } from './chain.ts'
import { clusterIdOf } from './cluster.ts'

/** Which snapshots may be restored without asking a person, and what to say when none is good. */
export interface RestorePlan {
  /** In the order to try them; each tarball once. */
  candidates: readonly Restorable[]
  /** Those of the chain that are passed over, newest first, and why: to be logged. */
  skipped: readonly { id: string; why: string }[]
  /** Why the list ends where it does. */
  end:
    | 'oldest'
    | 'unread'
    | 'final'
    | 'unreadable'
    | 'newer-format'
    | 'empty-beginning'
    | 'broken-chain'
  /** The manifest at which it ends; undefined = there is none. */
  endsAt: string | undefined
  /** To be thrown when the last candidate has failed too: SNAPSHOT_NONE, SNAPSHOT_NONE_GOOD or MANIFEST_NEWER_FORMAT. */
  exhausted: MeiliHaError
}

/**
 * The chain's snapshots from the newest on, cut where going further back by itself would lose
 * acknowledged writes: at a `final` (the former primary may still hold what it held), at a
 * manifest that may have been one, at one of a newer format, and where the chain is broken.
 * Of a partial view, those before the first unread link: where they aren't enough, read all.
 */
export function restoreCandidates(view: PartialView): RestorePlan {
  const known = PLANS.get(view)
  if (known) return known
  const made = makePlan(view)
  PLANS.set(view, made)
  return made
}

/** Of views that are still held: a follower asks the same one dozens of times a second. */
const PLANS = new WeakMap<PartialView, RestorePlan>()

function makePlan(view: PartialView): RestorePlan {
  const { links, brokenAt } = chainOf(view)
  const clusterId = clusterIdOf(view)
  const candidates: Restorable[] = []
  const skipped: { id: string; why: string }[] = []
  const tried = new Set<string>()
  const plan = (end: RestorePlan['end'], at?: Entry | Unread): RestorePlan => ({
    candidates,
    skipped,
    end,
    endsAt: at?.id,
    exhausted: exhausted(view, end, at, skipped[0]),
  })

  for (const [index, link] of links.entries()) {
    if (link.kind === 'unread') return plan('unread', link)
    if (link.kind === 'unreadable') {
      skipped.push({ id: link.id, why: link.error.message })
      if (link.newerFormat) return plan('newer-format', link)
      const isLastOfEpoch = links[index - 1]?.epoch !== link.epoch
      if (link.mayBeFinal && link.epoch > 0 && isLastOfEpoch) return plan('unreadable', link)
      continue
    }
    const { object, final } = link.manifest
    if (link.manifest.clusterId !== clusterId) {
      // Restored, it would be another's data, and refused as such at the next start.
      const why = `it is of cluster ${link.manifest.clusterId}, the store of ${clusterId}`
      skipped.push({ id: link.id, why })
      continue
    }
    if (object === null) return plan('empty-beginning', link)
    const state = tarballState(view, link)
    if (state !== 'good') {
      const what = state === 'gone' ? 'is gone' : 'has another size than published'
      skipped.push({ id: link.id, why: `its tarball ${object.key} ${what}` })
    } else if (!tried.has(`${object.key} ${object.sha256}`)) {
      tried.add(`${object.key} ${object.sha256}`)
      candidates.push(link as Restorable)
    }
    if (final) return plan('final', link)
  }
  return plan(brokenAt === undefined ? 'oldest' : 'broken-chain', links.at(-1))
}

/** @param newest of those passed over: why is what a person asks next */
function exhausted(
  view: PartialView,
  end: RestorePlan['end'],
  at: Entry | Unread | undefined,
  newest: RestorePlan['skipped'][number] | undefined,
) {
  if (at === undefined) {
    return isInitialised(view)
      ? new MeiliHaError('SNAPSHOT_NONE_GOOD', 'the store is in use, but holds no snapshot')
      : new MeiliHaError('SNAPSHOT_NONE', 'the store holds no snapshot')
  }
  if (end === 'newer-format' && at.kind === 'unreadable') return at.error
  const byHand = `; older ones are not taken unasked: choose one with \`fetcher restore --id\``
  const message = {
    unread: `manifest ${at.id} was not read`,
    oldest: `no snapshot of the chain is good, down to the oldest (${at.id})`,
    final: `the last snapshot of a stopped primary (${at.id}) is damaged; that member may still hold what it held${byHand}`,
    unreadable: `manifest ${at.id} can't be read and may be the last of a stopped primary${byHand}`,
    'newer-format': `manifest ${at.id} has a newer format`,
    'empty-beginning': `history begins empty with ${at.id}, and no snapshot since is good`,
    'broken-chain': `the claim of epoch ${at.epoch} is missing or unreadable${byHand}`,
  }[end]
  const isNew = end === 'empty-beginning' && at === view.entries[0]
  return new MeiliHaError(isNew ? 'SNAPSHOT_NONE' : 'SNAPSHOT_NONE_GOOD', message, {
    ...(newest && { cause: new Error(`${newest.id}: ${newest.why}`) }),
  })
}
