import {
  snapshotsOf,
  isLevelWith,
  type CatalogView,
  type Restorable,
} from '@meili-ha/core/catalog/catalog-view.ts'
import { chainOf } from '@meili-ha/core/catalog/chain.ts'
import { comparePositions, parseId } from '@meili-ha/core/catalog/names.ts'
import type { Lineage } from '@meili-ha/core/data-dir/lineage.ts'
import type { Directory, StoreState } from '../decide.ts'

/** What a promotion is decided on: the directory, and the store as listed just now. */
export interface ClaimSituation {
  epoch: number
  directory: Directory
  store: StoreState
  lineage: Lineage | undefined
  view: CatalogView
  /** The chain's good snapshots, newest first, those left out that proved damaged. */
  candidates: readonly Restorable[]
  /** Every manifest of the store was written by this member. */
  allOwn: boolean
  /** Meilisearch takes writes already (it leads on in an outage): nothing may be moved or stopped. */
  serving: boolean
}

export type ClaimDecision =
  | { claim: NonNullable<Lineage['claim']> }
  /** Not level with the newest good snapshot: become so, then ask again. */
  | 'catch-up'
  | { refused: string }

/**
 * With what an epoch begins. Nothing older than the newest good snapshot of the chain is ever
 * claimed: by the one who is level with it, or by the one whose own epoch is the newest, whose
 * directory holds that and more.
 */
export function decideClaim(situation: ClaimSituation): ClaimDecision {
  const { epoch, directory, store, view, candidates, allOwn, lineage, serving } = situation
  const newest = candidates[0]
  const link = chainOf(view).links[0]
  if (serving && directory !== 'leading') return { refused: 'another member was primary since' }

  switch (directory) {
    case 'absent':
    case 'empty':
      if (store === 'never-initialised') return { claim: { epoch, of: null } }
      // Killed between the claim of an empty beginning and the first start: the same again.
      if (store === 'begun-empty' && allOwn) return { claim: { epoch, of: link?.id ?? null } }
      return newest ? 'catch-up' : { refused: 'there is no snapshot to begin from' }
    case 'unmarked':
      if (store !== 'never-initialised') return { refused: 'the data directory is not known' }
      return { claim: { epoch, of: null, archive: true } }
    case 'leading':
      if (link === undefined) return archive(situation, null)
      if (!isOwn(lineage, link.epoch)) return notLast(situation)
      if (newest?.id === link.id || isEmptyBeginning(view, link.id)) {
        return { claim: { epoch, of: link.id } }
      }
      return archive(situation, link.id)
    case 'pristine': {
      if (newest && isLevelWith(newest, lineage?.tarball ?? null)) {
        return { claim: { epoch, of: newest.id } }
      }
      const held = heldLink(situation)
      // What it holds is the newest there is, and exists nowhere else any more.
      if (held && (!newest || comparePositions(held, newest) > 0))
        return archive(situation, held.id)
      return newest ? 'catch-up' : { refused: 'the store holds no good snapshot' }
    }
    case 'overtaken':
      return newest ? 'catch-up' : { refused: 'the store holds no good snapshot' }
    default:
      return { refused: `the data directory is ${directory}` }
  }
}

function archive({ epoch, serving }: ClaimSituation, of: string | null): ClaimDecision {
  if (serving) return { refused: 'nothing published holds what this member holds' }
  return { claim: { epoch, of, archive: true } }
}

/** The directory took writes in that epoch, or began it: it holds all that was published in it. */
function isOwn(lineage: Lineage | undefined, epoch: number): boolean {
  return lineage?.primaryIn.includes(epoch) === true || lineage?.claim?.epoch === epoch
}

/**
 * It leads an epoch that the store doesn't know, and the newest that it does is another's. If that
 * was only a claim that came to nothing, it must be level like anybody; if it took writes, they and
 * the other's are two histories.
 */
function notLast({ epoch, lineage, candidates }: ClaimSituation): ClaimDecision {
  const [newest] = candidates
  if (!newest) return { refused: 'the store holds no good snapshot' }
  if (isLevelWith(newest, lineage?.tarball ?? null)) return { claim: { epoch, of: newest.id } }
  const led = Math.max(-1, ...(lineage?.primaryIn ?? []))
  if (led <= newest.epoch) return 'catch-up'
  return { refused: `it took writes in epoch ${led} that ${newest.id} does not hold` }
}

function isEmptyBeginning(view: CatalogView, id: string): boolean {
  return snapshotsOf(view).some((one) => one.id === id && one.manifest.object === null)
}

/** The chain's manifest that this directory grew from, whether its tarball is there or not. */
function heldLink({ lineage, view }: ClaimSituation) {
  const held = lineage?.snapshotId ? parseId(lineage.snapshotId) : undefined
  if (!held) return undefined
  const link = chainOf(view).links.find((one) => one.id === lineage?.snapshotId)
  if (link?.kind !== 'snapshot' || !isLevelWith(link, lineage?.tarball ?? null)) return undefined
  // Links between it and the newest that aren't good don't count; those that are, are candidates.
  return link
}
