import type { Entry, Unread } from './catalog-view.ts'
import { parseId } from './names.ts'

/** Every manifest of the store belongs to exactly one of the three lists; each is newest first. */
export interface Chain<E extends Entry | Unread = Entry> {
  /**
   * The one history: from the newest manifest back through its epoch to its claim, then on from
   * the claimed manifest. Unreadable ones stay in their place, so that nobody slips past them.
   */
  links: readonly E[]
  /** Of an older epoch, above what was claimed: what a zombie wrote. Never chosen, never counted. */
  offChain: readonly E[]
  /** Below a claim that is missing or unreadable: nobody can tell which of the two they are. */
  unplaced: readonly E[]
  /** The epoch whose claim is missing, unreadable or unread; undefined when the chain is whole. */
  brokenAt: number | undefined
}

/**
 * Finds the one history among everything that was ever written. A claim needs only its own text:
 * whether the manifest that it names still exists makes no difference to where the chain goes on.
 * Of a partial view, it is right down to the first unread link.
 */
export function chainOf<E extends Entry | Unread>(view: { entries: readonly E[] }): Chain<E> {
  const links: E[] = []
  let from: { epoch: number; seq: number } | undefined = view.entries[0]
  let brokenAt: number | undefined
  while (from) {
    const { epoch, seq } = from
    const ofEpoch = view.entries.filter((entry) => entry.epoch === epoch && entry.seq <= seq)
    links.push(...ofEpoch)
    if (epoch === 0) break
    const claim = ofEpoch.find((entry) => entry.seq === 0)
    if (claim?.kind !== 'snapshot') {
      brokenAt = epoch
      break
    }
    const of = claim.manifest.claim?.of ?? null
    from = of === null ? undefined : parseId(of)
  }
  const linked = new Set(links)
  const rest = view.entries.filter((entry) => !linked.has(entry))
  const known = (entry: E) => brokenAt === undefined || entry.epoch >= brokenAt
  return {
    links,
    offChain: rest.filter(known),
    unplaced: rest.filter((entry) => !known(entry)),
    brokenAt,
  }
}
