import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { publishedSchema, syncSchema } from '@meili-ha/core/ha/sync.ts'
import type { Event } from '../event.ts'

/** What the guard says, which says it four times a second. */
export async function readGuard(ha: HaDir): Promise<Event> {
  return { type: 'guardSeen', beat: parseBeat((await ha.readLine('guard')) ?? '') }
}

/** What the other containers of this member say in `/ha`, as events. */
export async function readHa(ha: HaDir): Promise<Event[]> {
  const [guardSeen, sync, published, drain, drained] = await Promise.all([
    readGuard(ha),
    ha.readJson('sync.json', syncSchema),
    ha.readJson('published.json', publishedSchema),
    ha.readLine('drain'),
    ha.readLine('drained'),
  ])
  const events: Event[] = [
    guardSeen,
    { type: 'syncSeen', sync },
    { type: 'publishedSeen', published },
  ]
  // One that was answered is over; the guard's next has another number.
  if (drain !== undefined && drain !== drained && /^[0-9]{1,15}$/.test(drain)) {
    events.push({ type: 'drainAsked', askedAt: Number(drain) })
  }
  return events
}
