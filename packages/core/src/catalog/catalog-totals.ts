import { isGood, snapshotsOf, type CatalogView } from './catalog-view.ts'
import { chainOf } from './chain.ts'

/** For metrics: how much lies in the store. */
export interface CatalogTotals {
  /** Good ones of the chain, claims not counted. */
  snapshots: number
  offChain: number
  unreadable: number
  /** Readable manifests whose tarball is gone or has another size. */
  damaged: number
  tarballs: number
  /** Bytes of all tarballs, whether a manifest names them or not: what is paid for. */
  tarballBytes: number
}

export function catalogTotals(view: CatalogView): CatalogTotals {
  const { links, offChain } = chainOf(view)
  const sizes = [...view.tarballs.values()].map((tarball) => tarball.size)
  return {
    snapshots: links.filter(
      (link) => link.kind === 'snapshot' && link.seq > 0 && isGood(view, link),
    ).length,
    offChain: offChain.length,
    unreadable: view.entries.filter((entry) => entry.kind === 'unreadable').length,
    damaged: snapshotsOf(view).filter((each) => each.manifest.object && !isGood(view, each)).length,
    tarballs: sizes.length,
    tarballBytes: sizes.reduce((sum, size) => sum + size, 0),
  }
}
