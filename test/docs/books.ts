import { until } from '../harness/until.ts'
import type { Machine } from './machine.ts'

/** Adds documents and waits until they can be found. */
export async function write(machine: Machine, ...numbers: number[]): Promise<void> {
  const path = '/indexes/books/documents?primaryKey=id'
  const { body } = await machine.call(
    'POST',
    path,
    numbers.map((id) => ({ id })),
  )
  const { taskUid } = body as { taskUid: number }
  await until('they are indexed', async () => {
    const task = await machine.call('GET', `/tasks/${taskUid}`)
    return (task.body as { status: string }).status === 'succeeded'
  })
}

export async function ids(machine: Machine): Promise<number[]> {
  const { body } = await machine.call('GET', '/indexes/books/documents?limit=1000')
  return (body as { results: { id: number }[] }).results.map(({ id }) => id).sort((a, b) => a - b)
}
