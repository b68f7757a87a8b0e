import type { Restorable } from '@meili-ha/core/catalog/catalog-view.ts'
import type { RestorePlan } from '@meili-ha/core/catalog/restore-candidates.ts'
import { isError, MeiliHaError } from '@meili-ha/core/errors.ts'
import { fetchSnapshot, type FetchOptions } from './fetch-snapshot.ts'

/**
 * Leaves the newest snapshot of the plan that proves good in `.next`, and returns it. Those that
 * are damaged or gone are passed over, and named; anything else ends the search: the next older
 * one wouldn't fit better.
 * @param onDamaged told of each candidate that was tried in vain
 * @throws what the plan ends with, when none is good; VERSION_*, DISK_FULL, STORE_*, CANCELLED
 */
export async function fetchNewest(
  plan: RestorePlan,
  primaryIn: number[],
  options: FetchOptions,
  onDamaged: (snapshot: Restorable) => void = () => {},
): Promise<Restorable> {
  const { log } = options
  for (const { id, why } of plan.skipped) {
    log.warn({ event: 'restore.skipped', id, why }, `${id} is passed over: ${why}`)
  }
  let damage: MeiliHaError | undefined
  for (const candidate of plan.candidates) {
    const found = await tryTwice(candidate, primaryIn, options)
    if (found === undefined) return candidate
    log.error(
      { event: 'restore.damaged', id: candidate.id, err: found },
      `${candidate.id}: ${found.message}`,
    )
    onDamaged(candidate)
    damage ??= found
  }
  const { exhausted } = plan
  if (damage === undefined) throw exhausted
  // The catalog judged by a LIST alone; now that the tarballs were read, none of them is good.
  throw new MeiliHaError('SNAPSHOT_NONE_GOOD', exhausted.message, {
    hint: exhausted.hint,
    cause: damage,
  })
}

/**
 * What is wrong with it; undefined = it is in `.next`. Asked twice, since taking an older one gives
 * up writes: a bit that flipped on the way here must not cost them.
 */
async function tryTwice(
  candidate: Restorable,
  primaryIn: number[],
  options: FetchOptions,
): Promise<MeiliHaError | undefined> {
  let damage: MeiliHaError | undefined
  for (let attempt = 1; attempt <= 2; attempt++) {
    try {
      await fetchSnapshot(candidate, primaryIn, options)
      return undefined
    } catch (error) {
      if (!isError(error, 'SNAPSHOT_DAMAGED', 'SNAPSHOT_FOREIGN', 'STORE_CHECKSUM')) throw error
      damage = error
    }
  }
  return damage
}
