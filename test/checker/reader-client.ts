import type { Random } from '../chaos/random.ts'
import { MASTER_KEY, type Member } from '../cluster/member.ts'
import type { Read } from './history.ts'
import type { Recorder } from './recorder.ts'
import { memberFor, pause } from './routing.ts'
import { INDEX, type Register } from './writer-client.ts'

const TIMEOUT_MS = 2000

/** Reads the writers' registers, now from the primary and now from whoever may serve reads. */
export async function readUntil(
  signal: AbortSignal,
  client: string,
  members: readonly Member[],
  recorder: Recorder,
  registers: readonly Register[],
  random: Random,
  { everyMs, lagMs }: { everyMs: number; lagMs: number },
): Promise<void> {
  const routes = { primary: '/primary', reads: `/read-only?lag=${lagMs}ms` } as const
  while (!signal.aborted) {
    const route: Read['route'] = random.percent(40) ? 'primary' : 'reads'
    const register = random.pick(registers).name
    const member = await memberFor(routes[route], random.shuffle(members))
    const invoked = recorder.now()
    const value = member && (await valueOf(member, register).catch(() => undefined))
    if (member && value !== undefined) {
      const { name } = member
      const completed = recorder.now()
      const read = { client, register, value, member: name, route, invoked, completed }
      recorder.add({ kind: 'read', ...read })
    }
    await pause(everyMs, signal)
  }
}

/** Undefined without an answer; 0 where there is no such register. */
async function valueOf({ url }: Member, register: string): Promise<number | undefined> {
  const answer = await fetch(`${url}/indexes/${INDEX}/documents/${register}`, {
    headers: { authorization: `Bearer ${MASTER_KEY}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const body = (await answer.json()) as { value?: number; code?: string }
  if (answer.status === 200) return body.value
  return /^(document|index)_not_found$/.test(body.code ?? '') ? 0 : undefined
}
