import { setTimeout as sleep } from 'node:timers/promises'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { parsePermit } from '@meili-ha/core/ha/permit.ts'
import { formatWant } from '@meili-ha/core/ha/want.ts'
import type { Terms } from '../terms.ts'
import type { PublishedNote } from './published-note.ts'

const POLL_MS = 250
/** From the end of the permit to the keeper's `want final`: Meilisearch has to be confirmed dead. */
const PATIENCE_MS = 15_000

/**
 * Resolves when the uploader may end after SIGTERM: at once, unless it serves a primary. Then the
 * hand-over comes first, since only the uploader can publish its last snapshot; the keeper that
 * should ask for it may be gone, so the wait for it has an end.
 */
export async function handedOver(
  ha: HaDir,
  terms: Terms,
  note: Pick<PublishedNote, 'facts'>,
  now: () => number = () => performance.now(),
): Promise<void> {
  const epoch = await unfinishedTerm(ha, terms, note)
  if (epoch === undefined) return
  const final = formatWant({ verb: 'final', epoch })
  let endedAt: number | undefined
  while (note.facts.final?.epoch !== epoch && note.facts.failed?.want !== final) {
    const permitted = (await terms.current()) === epoch
    const working = (await ha.readLine('want')) === final
    endedAt = permitted || working ? undefined : (endedAt ?? now())
    if (endedAt !== undefined && now() - endedAt > PATIENCE_MS) return
    await sleep(POLL_MS)
  }
}

/**
 * The epoch that this member leads, or led until the keeper's `stop`: SIGTERM reaches all containers
 * of a pod at once, and the keeper may have been quicker.
 */
async function unfinishedTerm(
  ha: HaDir,
  terms: Terms,
  { facts }: Pick<PublishedNote, 'facts'>,
): Promise<number | undefined> {
  const inForce = await terms.current()
  if (inForce !== undefined) return inForce
  const permit = parsePermit((await ha.readLine('permit')) ?? '')
  return permit?.role === 'stop' && permit.epoch === facts.claimed ? permit.epoch : undefined
}
