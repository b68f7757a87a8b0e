import { setTimeout as sleep } from 'node:timers/promises'
import type { Member } from '../cluster/member.ts'

/** The first of these members whose keeper says yes, as a router would find it. */
export async function memberFor(
  route: string,
  members: readonly Member[],
): Promise<Member | undefined> {
  for (const member of members) if ((await member.route(route)) === 200) return member
  return undefined
}

/** Waits so long, or until it is over. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}
