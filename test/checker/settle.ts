import type { Member } from '../cluster/member.ts'
import { until } from '../harness/until.ts'
import type { Site } from './site.ts'
import { INDEX } from './writer-client.ts'

export interface Settled {
  /** The ids of the documents, by member: of all that hold the same, else of the primary alone. */
  held: Map<string, string[]>
  /** What didn't heal; undefined = all did. */
  trouble: string | undefined
}

/** With nothing out of order any more, waits until one leads, the others follow and all hold the same. */
export async function settle({ cluster }: Site, patienceMs: number): Promise<Settled> {
  const patience = { timeoutMs: patienceMs, everyMs: 500 }
  const held = new Map<string, string[]>()
  try {
    const primary = await cluster.primary(patienceMs)
    await until('the primary takes a last write', () => lastWrite(primary), patience)
    await until('the primary has it', async () => held.set(primary.name, await idsOf(primary)), {
      ...patience,
    })
    for (const member of cluster.members) {
      if (member !== primary) await cluster.standby(member, patienceMs)
    }
    const all = await until('all members hold the same', () => sameOn(cluster.members), patience)
    return { held: all, trouble: undefined }
  } catch (error) {
    return { held, trouble: innermost(error) }
  }
}

async function sameOn(members: readonly Member[]): Promise<Map<string, string[]> | undefined> {
  const states = await Promise.all(members.map(idsOf))
  const [first, ...others] = states.map((ids) => ids.toSorted().join())
  if (others.some((other) => other !== first)) return undefined
  return new Map(members.map(({ name }, index) => [name, states[index]!]))
}

/** Of nested errors the innermost says what was waited for; the outer ones hold all logs. */
function innermost(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? innermost(cause) : (message.split('\n')[0] ?? '')
}

/** Something to publish: who took over from a damaged snapshot has nothing new to say otherwise. */
async function lastWrite(primary: Member): Promise<boolean> {
  const path = `/indexes/${INDEX}/documents?primaryKey=id`
  return (await primary.call('POST', path, [{ id: LAST, value: 1 }])).status === 202
}

/** Not one of the clients' documents. */
const LAST = 'last-r0'

/** The ids of the documents, once nothing is enqueued any more; without the registers. */
async function idsOf(member: Member): Promise<string[]> {
  const tasks = await member.call('GET', '/tasks?statuses=enqueued,processing&limit=1')
  if ((tasks.body as { total: number }).total > 0) throw new Error('there are tasks to be done')
  const ids: string[] = []
  for (let offset = 0; ; offset += 10_000) {
    const path = `/indexes/${INDEX}/documents?limit=10000&offset=${offset}&fields=id`
    const { body } = await member.call('GET', path)
    const { results } = body as { results: { id: string }[] }
    ids.push(...results.map(({ id }) => id))
    if (results.length < 10_000) break
  }
  if (!ids.includes(LAST)) throw new Error('it has not the last write')
  return ids.filter((id) => !/-r\d+$/.test(id))
}
