import type { Fates } from './fates.ts'
import { only, type Entry, type ManifestSeen, type Read, type Violation } from './history.ts'
import { epochsOf, excusedIn } from './terms.ts'

/** Of a fetcher's poll, of the route's answer and of the way from there to the read. */
const SLACK_MS = 3000

/**
 * On the primary nothing goes back within an epoch. Elsewhere a read is at most `lagMs` behind the
 * newest snapshot that was published before it, which is what `/read-only?lag=` promises.
 */
export function* checkReads(
  entries: readonly Entry[],
  fates: Fates,
  lagMs: number,
): Generator<Violation> {
  yield* checkPrimaryReads(entries)
  const visible = visibleOn(entries)
  const kept = keptValues(fates)
  const published = only(entries, 'manifest')
    .filter(({ seq, startedAt }) => seq > 0 && startedAt !== null)
    .toSorted((a, b) => a.seenAt - b.seenAt)
  for (const read of only(entries, 'read')) {
    if (read.route !== 'reads') continue
    const newest = newestBefore(published, read.invoked - SLACK_MS, fates)
    if (newest === undefined) continue
    const limit = newest - lagMs
    const newer = (visible.get(read.register) ?? []).filter(
      ({ value, at }) => value > read.value && at < limit && kept.has(`${read.register} ${value}`),
    )
    const worst = newer.at(0)
    if (worst) {
      const behind = Math.round(newest - worst.at)
      const what = `${read.member} showed ${read.register} = ${read.value} at ${Math.round(read.invoked)} ms, ${behind} ms behind what was published (${worst.value} was seen before)`
      yield { promise: 'read lag', what }
    }
  }
}

/** Start of the newest snapshot on the chain that was published by then. */
function newestBefore(published: ManifestSeen[], at: number, { chain }: Fates) {
  const starts = published
    .filter((one) => one.seenAt <= at && isOnChain(one, chain))
    .map(({ startedAt }) => startedAt ?? -Infinity)
  return starts.length === 0 ? undefined : Math.max(...starts)
}

function isOnChain({ epoch, seq }: ManifestSeen, { claims, manifests }: Fates['chain']): boolean {
  const next = claims.find((claim) => claim.epoch > epoch)
  if (!next) return true
  const of = next.of == null ? undefined : manifests.get(next.of)
  return of !== undefined && (of.epoch > epoch || (of.epoch === epoch && of.seq >= seq))
}

/** For each register: each value, and when the primary first showed it. */
function visibleOn(entries: readonly Entry[]): Map<string, { value: number; at: number }[]> {
  const reads = only(entries, 'read').filter(({ route }) => route === 'primary')
  const byRegister = new Map<string, { value: number; at: number }[]>()
  for (const read of reads.toSorted((a, b) => a.completed - b.completed)) {
    const seen = byRegister.get(read.register) ?? []
    byRegister.set(read.register, seen)
    if (seen.at(-1)?.value !== read.value) seen.push({ value: read.value, at: read.completed })
  }
  return byRegister
}

/** The values that no failover may have taken back. */
function keptValues({ of }: Fates): Set<string> {
  const kept = [...of].filter(([, fate]) => fate.kind === 'kept')
  return new Set(kept.map(([{ register, value }]) => `${register} ${value}`))
}

function* checkPrimaryReads(entries: readonly Entry[]): Generator<Violation> {
  const epochs = epochsOf(entries)
  const excused = excusedIn(entries)
  const newest = new Map<string, Read>()
  const reads = only(entries, 'read').filter(({ route }) => route === 'primary')
  for (const read of reads.toSorted((a, b) => a.invoked - b.invoked)) {
    const [epoch, ...others] = new Set(epochs(read))
    if (epoch === undefined || others.length > 0) continue
    if (excused(read.member, read.invoked, read.completed)) continue
    const key = `${read.register} ${epoch}`
    const before = newest.get(key)
    if (before && before.completed < read.invoked && before.value > read.value) {
      const what = `${read.member} showed ${read.register} = ${before.value}, then ${read.value} at ${Math.round(read.invoked)} ms, both in epoch ${epoch}`
      yield { promise: 'primary went back', what }
    }
    if (!before || read.value > before.value) newest.set(key, read)
  }
}
