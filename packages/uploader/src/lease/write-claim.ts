import type { CatalogView } from '@meili-ha/core/catalog/catalog-view.ts'
import { MANIFEST_FORMAT, type Manifest } from '@meili-ha/core/catalog/manifest.ts'
import { formatId } from '@meili-ha/core/catalog/names.ts'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { Archived } from '../publish-archive.ts'

/** An epoch's claim as the fetcher decided it; design section 7, promotion. */
export interface Claim {
  epoch: number
  of: string | null
}

export interface ClaimFacts {
  clusterId: string
  writer: string
  createdAt: string
}

/**
 * The manifest that begins an epoch. Pure: the same claim makes the same manifest again, so that one
 * that is there already is adopted.
 * @param archived the stopped directory, where no published tarball holds it
 * @throws STORE_NOT_FOUND when the claimed manifest isn't there; MANIFEST_* when what it claims can't be read
 */
export function claimManifest(
  view: CatalogView,
  claim: Claim,
  facts: ClaimFacts,
  archived: Archived | undefined,
): Manifest {
  const entry = view.entries.find(({ id }) => id === claim.of)
  const claimed = entry?.kind === 'snapshot' ? entry.manifest : undefined
  if (entry?.kind === 'unreadable' && (entry.newerFormat || !archived)) throw entry.error
  // An archive needs the name of its predecessor alone: the one that leads on holds all that was in it.
  if (claim.of !== null && !entry) {
    throw new MeiliHaError('STORE_NOT_FOUND', `${claim.of}, to be claimed, is not in the store`)
  }
  const nothing = { meilisearch: { version: null }, contents: { indexes: 0, unpackedBytes: 0 } }
  const { object, meilisearch, contents } = archived ?? claimed ?? { object: null, ...nothing }
  return {
    format: MANIFEST_FORMAT,
    id: formatId({ epoch: claim.epoch, seq: 0 }),
    epoch: claim.epoch,
    seq: 0,
    ...facts,
    object,
    meilisearch,
    contents,
    // Of a stopped directory: it holds whatever was acknowledged by then.
    tasks: archived ? { snapshotStartedAt: facts.createdAt } : (claimed?.tasks ?? {}),
    claim: { of: claim.of },
    ...(claimed?.annotations !== undefined && { annotations: claimed.annotations }),
  }
}
