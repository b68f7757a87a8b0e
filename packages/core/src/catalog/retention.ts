import { isGood, type CatalogView, type Entry, type Snapshot } from './catalog-view.ts'
import { chainOf } from './chain.ts'
import { comparePositions } from './names.ts'

/** What to keep, in restic's words. */
export interface RetentionRules {
  /** The newest so many good ones of the chain; at least 1. */
  keepLast: number
  /** For the last so many days (UTC) that have one, the newest of each day. */
  keepDaily: number
}

export interface RetentionPlan {
  /** Oldest first: in this order whatever is left after a crash is a plan's result too. */
  remove: readonly { entry: Snapshot; why: 'superseded' | 'off-chain' }[]
  /** Why nothing is removed; undefined when the rules decided. */
  blockedBy: string | undefined
}

/**
 * Which manifests to delete. Tarballs are not its business (see sweep.ts), but a manifest stays
 * while another of the chain keeps its tarball: deleting it would free nothing and forget what
 * it says. Two more are kept beyond the count, since others lean on them:
 * - claims, finals and those whose tarball is damaged, while anything older is kept: without its
 *   claim an epoch's past can't be told from a zombie's, and without a final a restore would
 *   fall back past it;
 * - off-chain ones, until they are older, by name *and* by clock, than all that is kept of the
 *   chain: they may hold writes that are nowhere else, and a zombie's clock proves nothing.
 * Never deleted: what can't be read, what a broken chain doesn't place, and the newest claim.
 */
export function planRetention(view: CatalogView, rules: RetentionRules): RetentionPlan {
  const newer = view.entries.find((entry) => entry.kind === 'unreadable' && entry.newerFormat)
  if (newer) return { remove: [], blockedBy: `${newer.id} has a newer format` }

  const { links, offChain } = chainOf(view)
  const kept = keptByRule(view, links, rules)
  if (!kept) return { remove: [], blockedBy: undefined }
  const oldestFirst = view.entries.toReversed()
  const onChain = new Set(links)
  const strays = new Set(offChain)

  // Keeping one may oblige to keep another, so it is repeated until nothing is added.
  for (let before = -1; before !== kept.size;) {
    before = kept.size
    const tarballs = new Set([...kept].map(tarballOf))
    const chainKept = links.filter((link) => kept.has(link))
    let olderKept = false
    for (const entry of oldestFirst) {
      const mustStay =
        entry.kind === 'unreadable' ||
        (onChain.has(entry)
          ? tarballs.has(tarballOf(entry) ?? 'none') || (olderKept && isLink(view, entry))
          : !strays.has(entry) || !chainKept.every((link) => isOlder(entry, link)))
      if (mustStay) kept.add(entry)
      olderKept ||= kept.has(entry)
    }
  }
  const remove = oldestFirst.flatMap((entry) => {
    if (entry.kind === 'unreadable' || kept.has(entry)) return []
    return [{ entry, why: onChain.has(entry) ? ('superseded' as const) : ('off-chain' as const) }]
  })
  return { remove, blockedBy: undefined }
}

/** Undefined while there are no more good ones than the count asks for: then nothing is let go. */
function keptByRule(
  view: CatalogView,
  links: readonly Entry[],
  rules: RetentionRules,
): Set<Entry> | undefined {
  const keepLast = Math.max(rules.keepLast, 1)
  const kept = new Set<Entry>()
  const lastTarballs = new Set<string>()
  const days = new Set<string>()
  let oldest = 0
  for (const [index, link] of links.entries()) {
    if (link.kind !== 'snapshot' || !isGood(view, link)) continue
    const { object, createdAt } = link.manifest
    const day = new Date(createdAt).toISOString().slice(0, 10)
    // A claim and what it claims share a tarball, and so count as one.
    const isLast = lastTarballs.size < keepLast && !lastTarballs.has(object.key)
    const isDaily = days.size < rules.keepDaily && !days.has(day)
    if (isLast) lastTarballs.add(object.key)
    if (isDaily) days.add(day)
    if (!isLast && !isDaily) continue
    kept.add(link)
    oldest = index
  }
  if (lastTarballs.size < keepLast) return undefined
  for (const [index, link] of links.entries()) {
    const isNewestClaim = link.seq === 0 && link.epoch === links[0]?.epoch
    const isDamaged = link.kind === 'snapshot' && !isGood(view, link)
    if (isNewestClaim || (isDamaged && index < oldest)) kept.add(link)
  }
  return kept
}

/** Deleting it while something older stays would change what that is, or who may take it. */
function isLink(view: CatalogView, entry: Snapshot): boolean {
  return entry.seq === 0 || entry.manifest.final === true || !isGood(view, entry)
}

function isOlder(entry: Snapshot, link: Entry): boolean {
  if (comparePositions(entry, link) >= 0) return false
  return (
    link.kind === 'unreadable' ||
    Date.parse(entry.manifest.createdAt) < Date.parse(link.manifest.createdAt)
  )
}

function tarballOf(entry: Entry): string | undefined {
  return entry.kind === 'snapshot' ? entry.manifest.object?.key : undefined
}
