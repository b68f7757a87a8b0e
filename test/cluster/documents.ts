import { expect } from 'vitest'
import { until } from '../harness/until.ts'
import type { Member } from './member.ts'

/** Adds one document and waits until it can be found. */
export async function write(member: Member, id: number): Promise<void> {
  const answer = await member.call('POST', '/indexes/books/documents?primaryKey=id', [{ id }])
  expect(answer.status).toBe(202)
  const { taskUid } = answer.body as { taskUid: number }
  await until('it is indexed', async () => {
    const { body } = await member.call('GET', `/tasks/${taskUid}`)
    return (body as { status: string }).status === 'succeeded'
  })
}

export async function has(member: Member, id: number): Promise<boolean> {
  return (await member.call('GET', `/indexes/books/documents/${id}`)).status === 200
}

/** What is written now is published, and the standby has taken it over. */
export async function reaches(primary: Member, standby: Member, id: number): Promise<void> {
  await write(primary, id)
  const taken = () => has(standby, id)
  await until(`${standby.name} has ${id}`, taken, { timeoutMs: 30_000, everyMs: 50 })
}
