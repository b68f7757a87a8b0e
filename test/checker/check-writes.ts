import { byPosition, claimed, type ClaimChain } from './chain.ts'
import { wasLeftBehind, type Fates } from './fates.ts'
import { only, type Entry, type Violation, type Write } from './history.ts'
import { excusedIn } from './terms.ts'

/** The guard's kill-at, as a share of the lease duration: a primary serves so long after its last renewal. */
const KILL_AT = 12 / 15
const TOLERANCE_MS = 1000

/** Nothing is missing that a claim must hold, nothing is there that can't be, and all agree. */
export function* checkWrites(entries: readonly Entry[], fates: Fates): Generator<Violation> {
  const finals = only(entries, 'final')
  for (const { member, ids } of finals) {
    const there = new Set(ids)
    const missing = [...fates.of].filter(([{ id }, fate]) => fate.kind === 'kept' && !there.has(id))
    for (const [write, fate] of missing) {
      const why = fate.kind === 'kept' ? fate.why : ''
      yield { promise: 'lost write', what: `${member} lacks ${describe(write)}: ${why}` }
    }
    const other = finals[0]!
    const alike = other.ids.length === there.size && other.ids.every((id) => there.has(id))
    if (!alike) {
      const what = `${member} holds ${there.size} documents, ${other.member} ${other.ids.length}`
      yield { promise: 'members differ', what }
    }
  }
  yield* checkGhosts(entries, fates)
}

/** Documents that nobody wrote, and writes that come back from a directory that was set aside. */
function* checkGhosts(entries: readonly Entry[], fates: Fates): Generator<Violation> {
  const there = new Set(only(entries, 'final').flatMap(({ ids }) => ids))
  const written = new Set(only(entries, 'write').map(({ id }) => id))
  for (const id of there) {
    if (!written.has(id)) yield { promise: 'ghost', what: `${id} is there, and nobody wrote it` }
  }
  const leaders = Map.groupBy(only(entries, 'term'), ({ epoch }) => epoch)
  for (const [write, fate] of fates.of) {
    if (fate.kind !== 'losable' || !there.has(write.id)) continue
    // Who leads again keeps its own directory, in which there is more than it published.
    const successors = leaders.get(fate.claim.epoch) ?? []
    const another = successors.length > 0 && successors.every((t) => t.member !== write.member)
    if (another && wasLeftBehind(fate, write)) {
      const what = `${describe(write)} is there though epoch ${fate.claim.epoch} began without it`
      yield { promise: 'resurrected write', what }
    }
  }
}

/** Every claim names the newest good snapshot that was published when the lease was taken. */
export function* checkClaims(entries: readonly Entry[], chain: ClaimChain): Generator<Violation> {
  const damaged = new Set(only(entries, 'fault').flatMap(({ damaged: one }) => one ?? []))
  const leases = new Map(only(entries, 'lease').map((lease) => [lease.epoch, lease]))
  for (const claim of chain.allClaims) {
    const taken = leases.get(claim.epoch)
    if (!taken) continue
    const of = claimed(chain, claim)
    const better = [...chain.manifests.values()].filter(
      (one) =>
        one.seenAt <= taken.after &&
        one.epoch < claim.epoch &&
        one.tarball !== null &&
        !damaged.has(one.tarball) &&
        one.tarball !== claim.tarball &&
        (of === undefined || (one.tarball !== of.tarball && byPosition(one, of) > 0)) &&
        !isOffChain(chain, one, claim.epoch),
    )
    const newest = better.toSorted(byPosition).at(-1)
    if (newest) {
      const what = `epoch ${claim.epoch} claimed ${claim.of}, and ${newest.id} was published before`
      yield { promise: 'older claim', what }
    }
  }
  for (const fault of only(entries, 'fault')) {
    if (fault.handedOverTo === undefined) continue
    const claim = chain.allClaims.find(({ epoch }) => epoch === fault.handedOverTo)
    const alone = only(entries, 'fault').every(
      (other) => other === fault || other.until < fault.from || other.from > fault.until,
    )
    if (alone && claim && !claimed(chain, claim)?.final) {
      const what = `the switch-over to epoch ${claim.epoch} went on with ${claim.of}, which is not final`
      yield { promise: 'planned hand-over', what }
    }
  }
}

/** What a zombie wrote: a claim of an epoch in between went on with something older. */
function isOffChain(chain: ClaimChain, one: { epoch: number; seq: number }, before: number) {
  return chain.allClaims.some((claim) => {
    if (claim.epoch <= one.epoch || claim.epoch >= before) return false
    const of = claimed(chain, claim)
    return of === undefined || byPosition(of, one) < 0
  })
}

/** What was lost is no more than what the promotion printed. */
export function* checkLosses(
  entries: readonly Entry[],
  fates: Fates,
  leaseMs: number,
): Generator<Violation> {
  const printed = new Map(only(entries, 'promoted').map((one) => [one.epoch, one]))
  const excused = excusedIn(entries)
  for (const [epoch, all] of lostByEpoch(entries, fates)) {
    const promoted = printed.get(epoch)
    const lost = all.filter(({ write: w }) => !excused(w.member, w.invoked, w.completed))
    const of = lost[0]?.of
    if (!promoted || of?.startedAt == null) continue
    const last = Math.max(...lost.map(({ write }) => write.completed))
    const span = last - of.startedAt
    const covered = promoted.lossMs ?? -Infinity
    if (span > covered + leaseMs * KILL_AT + TOLERANCE_MS) {
      const what = `epoch ${epoch} lost ${lost.length} writes of ${Math.round(span)} ms and printed ${promoted.lossMs} ms`
      yield { promise: 'printed loss', what }
    }
  }
}

interface Lost {
  write: Write
  of: { startedAt: number | null } | undefined
}

/** The writes that are missing and may be, by the epoch whose claim left them behind. */
export function lostByEpoch(entries: readonly Entry[], fates: Fates): Map<number, Lost[]> {
  const finals = only(entries, 'final')
  const there = new Set(finals.flatMap(({ ids }) => ids))
  const byEpoch = new Map<number, Lost[]>()
  if (finals.length === 0) return byEpoch
  for (const [write, fate] of fates.of) {
    if (fate.kind !== 'losable' || there.has(write.id)) continue
    const lost = byEpoch.get(fate.claim.epoch) ?? []
    byEpoch.set(fate.claim.epoch, lost)
    lost.push({ write, of: fate.of })
  }
  return byEpoch
}

function describe({ id, member, completed, taskUid }: Write): string {
  return `${id} (acknowledged by ${member} at ${Math.round(completed)} ms as task ${taskUid})`
}
