import type { Member } from '../cluster/member.ts'
import { until } from '../harness/until.ts'
import type { Site } from './site.ts'
import { INDEX } from './writer-client.ts'

const PATIENCE_MS = 120_000

/** With nothing out of order any more, waits until all lead, follow and hold the same; what each holds. */
export async function settle({ cluster }: Site): Promise<Map<string, string[]>> {
  const primary = await cluster.primary(PATIENCE_MS)
  await until('the primary takes a last write', () => lastWrite(primary), {
    timeoutMs: PATIENCE_MS,
    everyMs: 200,
  })
  for (const member of cluster.members) {
    if (member !== primary) await cluster.standby(member, PATIENCE_MS)
  }
  let held = new Map<string, string[]>()
  await until(
    'all members hold the same',
    async () => {
      const states = await Promise.all(cluster.members.map(idsOf))
      held = new Map(cluster.members.map(({ name }, index) => [name, states[index]!]))
      const [first, ...others] = states.map((ids) => ids.toSorted().join())
      return others.every((other) => other === first)
    },
    { timeoutMs: PATIENCE_MS, everyMs: 500 },
  ).catch((error: unknown) => {
    // What differs is for the checker to judge.
    if (held.size < cluster.members.length) throw error
  })
  return held
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
