import { comparePositions, parseId } from '@meili-ha/core/catalog/names.ts'
import { only, type Entry, type ManifestSeen } from './history.ts'

/** The epochs that the newest one grew from, as their claims say. */
export interface ClaimChain {
  manifests: ReadonlyMap<string, ManifestSeen>
  /** Claims on the chain, by ascending epoch. */
  claims: readonly ManifestSeen[]
  /** All claims that were ever seen, off the chain too. */
  allClaims: readonly ManifestSeen[]
}

export function claimChain(entries: readonly Entry[]): ClaimChain {
  const manifests = new Map(only(entries, 'manifest').map((manifest) => [manifest.id, manifest]))
  const allClaims = [...manifests.values()].filter(({ seq }) => seq === 0).toSorted(byPosition)
  const claims: ManifestSeen[] = []
  let claim = allClaims.at(-1)
  while (claim) {
    claims.unshift(claim)
    const from = claim.of == null ? undefined : parseId(claim.of)
    claim = from && allClaims.find(({ epoch }) => epoch === from.epoch)
  }
  return { manifests, claims, allClaims }
}

export const byPosition = comparePositions

/** The claim with which history went on after an epoch; undefined = that epoch is the last. */
export function claimAfter({ claims }: ClaimChain, epoch: number): ManifestSeen | undefined {
  return claims.find((claim) => claim.epoch > epoch)
}

/** What a claim names; undefined = nothing, or a manifest that nobody saw. */
export function claimed(chain: ClaimChain, claim: ManifestSeen): ManifestSeen | undefined {
  return claim.of == null ? undefined : chain.manifests.get(claim.of)
}
