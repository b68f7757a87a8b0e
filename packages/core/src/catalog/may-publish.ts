import { MeiliHaError } from '../errors.ts'
import { newestEpoch, type Entry, type PartialView, type Unread } from './catalog-view.ts'

/** The manifests (key to etag) that an uploader without a lease found at its first LIST. */
export type FirstSeen = ReadonlyMap<string, string>

/** On whose behalf something is published. */
export interface Publisher {
  /** 0 without a lease. */
  epoch: number
  /** `--member`. */
  member: string
  /** Asked for at epoch 0 only. */
  firstSeen: FirstSeen
}

export function firstSeenOf(view: PartialView): FirstSeen {
  return new Map(view.entries.map((entry) => [entry.key, entry.etag]))
}

/**
 * Whether a snapshot of this epoch may (still) be published. What slips through in the moment
 * after this does no harm to a later epoch: the chain leaves it out.
 * @throws as assertMayClaim, and CLAIM_MISSING while the store holds nothing of this member's epoch.
 */
export function assertMayPublish(view: PartialView, publisher: Publisher): void {
  assertMayClaim(view, publisher)
  const { epoch, member } = publisher
  const begun = view.entries.some((entry) => entry.epoch === epoch && writerOf(entry) === member)
  if (epoch > 0 && !begun) {
    throw new MeiliHaError(
      'CLAIM_MISSING',
      `the store holds no claim of ${member} for epoch ${epoch}`,
    )
  }
}

/**
 * Whether this member is still the only one to write in its epoch, and the epoch the newest.
 * @throws SUPERSEDED when a higher epoch exists; SECOND_WRITER when another member writes in this
 * epoch, or without a lease has begun to since the first LIST. What wasn't read counts as another's.
 */
export function assertMayClaim(view: PartialView, publisher: Publisher): void {
  const { epoch, member, firstSeen } = publisher
  const newest = newestEpoch(view) ?? 0
  if (newest > epoch) {
    throw new MeiliHaError('SUPERSEDED', `the store holds epoch ${newest}; this is epoch ${epoch}`)
  }
  const isOther = (entry: Entry | Unread) =>
    epoch === 0
      ? writerOf(entry) !== member && firstSeen.get(entry.key) !== entry.etag
      : entry.kind !== 'unreadable' && writerOf(entry) !== member
  const other = view.entries.find((entry) => entry.epoch === epoch && isOther(entry))
  if (other) {
    const who = writerOf(other) ?? 'somebody (it cannot be read)'
    throw new MeiliHaError('SECOND_WRITER', `${who} published ${other.id}; this is ${member}`)
  }
}

function writerOf(entry: Entry | Unread): string | undefined {
  return entry.kind === 'snapshot' ? entry.manifest.writer : undefined
}
