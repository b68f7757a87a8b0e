import type { Sync } from './sync.ts'

/**
 * Seconds that a standby may be behind the newest published snapshot; null = not known. Once its
 * listings are overdue (two of them missed: the store is away, or the fetcher) anything may have been
 * published since the last: a standby that sees nothing must not pass for level.
 * @param now centiseconds of boot time
 */
export function lagNow(sync: Sync, now: number): number | null {
  const { lagSeconds, listedAt, listsEvery } = sync
  if (lagSeconds === null || listedAt === null || listsEvery === undefined) return lagSeconds
  const age = now - listedAt
  return age > 2 * listsEvery + REQUEST ? lagSeconds + age / 100 : lagSeconds
}

/** A LIST may take so long before it counts as missed: centiseconds. */
const REQUEST = 500
