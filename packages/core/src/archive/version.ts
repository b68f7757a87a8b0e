import { MeiliHaError } from '../errors.ts'

/** The oldest database a newer Meilisearch upgrades by itself; 1.12 lacks the internal version it reads. */
const OLDEST_UPGRADABLE = '1.13.0'

/** What `VERSION` holds: `MAJOR.MINOR.PATCH`, no newline; anything longer isn't one. */
export const MAX_VERSION_BYTES = 32

/** True for exactly `MAJOR.MINOR.PATCH` (as in `VERSION`, and nothing after it). */
export function isVersion(text: string): boolean {
  return text.length <= MAX_VERSION_BYTES && /^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}$/.test(text)
}

/** Negative, zero or positive, as for sort(). Both must be versions. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number)
  const right = b.split('.').map(Number)
  const differs = left.findIndex((part, i) => part !== right[i])
  return differs === -1 ? 0 : (left[differs] as number) - (right[differs] as number)
}

/**
 * Whether this member's Meilisearch can open a snapshot (design section 6), asked before anything
 * is set aside. `upgrade`: it can, once `VERSION` says the engine's version, as an import would.
 * `unknown-engine`: leave `VERSION` alone; Meilisearch itself refuses what doesn't fit.
 * @throws VERSION_TOO_NEW, VERSION_TOO_OLD with both versions named
 */
export function versionGate(
  snapshot: string,
  engine: string | undefined,
): 'same' | 'upgrade' | 'unknown-engine' {
  if (engine === undefined) return 'unknown-engine'
  const order = compareVersions(snapshot, engine)
  if (order === 0) return 'same'
  if (order > 0) {
    throw new MeiliHaError(
      'VERSION_TOO_NEW',
      `the snapshot is of Meilisearch ${snapshot}, this member runs ${engine}`,
    )
  }
  if (compareVersions(snapshot, OLDEST_UPGRADABLE) < 0) {
    throw new MeiliHaError(
      'VERSION_TOO_OLD',
      `the snapshot is of Meilisearch ${snapshot}, too old for the ${engine} this member runs`,
    )
  }
  return 'upgrade'
}
