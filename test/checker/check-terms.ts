import { only, type Entry, type Violation, type Write } from './history.ts'
import { epochsOf, excusedIn, overlaps } from './terms.ts'

/** No two members lead at once, or in one epoch, and no write is taken but by who leads. */
export function* checkTerms(entries: readonly Entry[]): Generator<Violation> {
  const excused = excusedIn(entries)
  const terms = only(entries, 'term')
  for (const [a, b] of overlaps(terms)) {
    const until = Math.min(a.until ?? Infinity, b.until ?? Infinity)
    if (excused(a.member, b.from, until) || excused(b.member, b.from, until)) continue
    const ms = Math.round(until - b.from)
    const what = `${a.member} (epoch ${a.epoch}) and ${b.member} (epoch ${b.epoch}) for ${ms} ms from ${Math.round(b.from)} ms on`
    yield { promise: 'two primaries', what }
  }
  for (const [epoch, ofEpoch] of Map.groupBy(terms, (term) => term.epoch)) {
    const members = new Set(ofEpoch.map(({ member }) => member))
    if (members.size > 1) {
      yield { promise: 'one epoch, two members', what: `${epoch}: ${[...members].join(', ')}` }
    }
  }
  yield* checkOrder(entries)
}

/** Once a write of an epoch was acknowledged, no older epoch takes one. */
function* checkOrder(entries: readonly Entry[]): Generator<Violation> {
  const excused = excusedIn(entries)
  const epochs = epochsOf(entries)
  const writes = only(entries, 'write').filter(({ outcome }) => outcome === 'ok')
  const answered = writes.toSorted((a, b) => a.completed - b.completed)
  let next = 0
  let newest: { epoch: number; write: Write } | undefined
  for (const write of writes.toSorted((a, b) => a.invoked - b.invoked)) {
    for (; answered[next] && answered[next]!.completed < write.invoked; next++) {
      const earlier = answered[next]!
      const epoch = Math.min(...epochs(earlier))
      if (Number.isFinite(epoch) && epoch > (newest?.epoch ?? -1))
        newest = { epoch, write: earlier }
    }
    if (excused(write.member, write.invoked, write.completed)) continue
    const own = epochs(write)
    const at = `${write.member} acknowledged ${write.id} at ${Math.round(write.completed)} ms`
    if (own.length === 0) yield { promise: 'write without a term', what: `${at}, leading nothing` }
    else if (newest && Math.max(...own) < newest.epoch) {
      const what = `${at} in epoch ${Math.max(...own)}, after ${newest.write.member} had ${newest.write.id} in epoch ${newest.epoch}`
      yield { promise: 'stale primary', what }
    }
  }
}
