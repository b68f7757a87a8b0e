import { parseBeat } from '@meili-ha/core/ha/guard-beat.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { publishedSchema, syncSchema } from '@meili-ha/core/ha/sync.ts'
import type { Event } from '../event.ts'

/** What the other containers of this member say in `/ha`, as events. */
export async function readHa(ha: HaDir): Promise<Event[]> {
  const [guard, sync, published, drain, drained] = await Promise.all([
    ha.readLine('guard'),
    ha.readJson('sync.json', syncSchema),
    ha.readJson('published.json', publishedSchema),
    ha.readLine('drain'),
    ha.readLine('drained'),
  ])
  const events: Event[] = [
    { type: 'guardSeen', beat: parseBeat(guard ?? '') },
    { type: 'syncSeen', sync },
    { type: 'publishedSeen', published },
  ]
  // One that was answered is over; the guard's next has another number.
  if (drain !== undefined && drain !== drained && /^[0-9]{1,15}$/.test(drain)) {
    events.push({ type: 'drainAsked', askedAt: Number(drain) })
  }
  return events
}
