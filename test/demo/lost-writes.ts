import type { Member } from '../cluster/member.ts'
import { idle } from './documents.ts'
import { WRITTEN } from './workload.ts'

/** Reads every document back; which of the acknowledged ones aren't there. */
export async function lostWrites(
  leader: Member,
  acknowledged: readonly number[],
): Promise<number[]> {
  await idle(leader)
  const path = `/indexes/${WRITTEN}/documents?limit=1000000&fields=id`
  const { status, body } = await leader.call('GET', path)
  // An index that no published snapshot held yet.
  const results = status === 404 ? [] : (body as { results: { id: number }[] }).results
  const found = new Set(results.map(({ id }) => id))
  return acknowledged.filter((id) => !found.has(id))
}
