import { expect } from 'vitest'
import { until } from '../harness/until.ts'
import type { Member } from './member.ts'

/** Adds one document and waits until it can be found. */
export async function write(member: Member, id: number): Promise<void> {
  const answer = await member.call('POST', '/indexes/books/documents?primaryKey=id', [{ id }])
  expect(answer.status).toBe(202)
  const { taskUid } = answer.body as { taskUid: number }
  // As long as a real one takes on a busy disk, with a snapshot before it.
  const limit = { timeoutMs: 30_000 }
  await until(
    'it is indexed',
    async () => {
      const { status } = (await member.call('GET', `/tasks/${taskUid}`)).body as { status: string }
      if (status !== 'succeeded') throw new Error(`task ${taskUid} is ${status}`)
      return true
    },
    limit,
  )
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
