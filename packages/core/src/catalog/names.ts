/** The folder of the store that holds manifests and tarballs. */
export const SNAPSHOTS = 'snapshots/'

/** A snapshot's place in history: newest = highest (epoch, seq). */
export interface Position {
  epoch: number
  /** 0 is the claim with which an epoch begins. */
  seq: number
}

/** What the name of an object under `snapshots/` says. */
export type SnapshotName = Position & { id: string } & (
    | { kind: 'manifest' }
    /** `utc` as in the name: `20261123T074929Z`. */
    | { kind: 'tarball'; utc: string }
  )

/** Ten digits, so that names sort as numbers do; a larger number has no name. */
const LARGEST = 9_999_999_999

/** `<epoch>-<seq>`, ten digits each. */
export function formatId({ epoch, seq }: Position): string {
  return `${digits(epoch)}-${digits(seq)}`
}

/** Undefined for anything that isn't exactly an id. */
export function parseId(id: string): Position | undefined {
  const match = /^([0-9]{10})-([0-9]{10})$/.exec(id)
  return match ? { epoch: Number(match[1]), seq: Number(match[2]) } : undefined
}

export function manifestKey(id: string): string {
  return `${SNAPSHOTS}${id}.json`
}

/**
 * @param at when the snapshot was finished (its file's mtime): the same file gets the same name
 * after a restart, so an unfinished upload is found again
 */
export function tarballKey(id: string, at: Date): string {
  return `${SNAPSHOTS}${id}-${formatUtc(at)}.snapshot`
}

/** `20261123T074929Z`: whole seconds, sorts as text. */
export function formatUtc(at: Date): string {
  return `${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

/** Undefined for a key that is neither a manifest's nor a tarball's. */
export function parseKey(key: string): SnapshotName | undefined {
  const match =
    /^snapshots\/(([0-9]{10})-([0-9]{10}))(?:\.json|-([0-9]{8}T[0-9]{6}Z)\.snapshot)$/.exec(key)
  if (!match) return undefined
  const name = { id: match[1] as string, epoch: Number(match[2]), seq: Number(match[3]) }
  const utc = match[4]
  return utc === undefined ? { kind: 'manifest', ...name } : { kind: 'tarball', utc, ...name }
}

/** Sorts oldest first. */
export function comparePositions(a: Position, b: Position): number {
  return a.epoch - b.epoch || a.seq - b.seq
}

function digits(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value > LARGEST) {
    throw new RangeError(`${value} is neither an epoch nor a seq`)
  }
  return String(value).padStart(10, '0')
}
