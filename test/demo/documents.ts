import type { RunningMeilisearch } from '../harness/meilisearch.ts'
import { until } from '../harness/until.ts'

const WORDS = 'amber basil cedar delta ember fjord grove harbor iris juniper kelp lumen'.split(' ')

/** Adds `count` made-up books, and waits until they are searchable. */
export async function loadDocuments(
  meilisearch: Pick<RunningMeilisearch, 'call'>,
  count: number,
): Promise<void> {
  const books = Array.from({ length: count }, (_, id) => ({
    id,
    title: [id, id * 7, id * 13].map((n) => WORDS[n % WORDS.length]).join(' '),
    year: 1900 + (id % 125),
  }))
  const answer = await meilisearch.call('POST', '/indexes/books/documents?primaryKey=id', books)
  if (answer.status !== 202) throw new Error(`adding documents was answered ${answer.status}`)
  const { taskUid } = answer.body as { taskUid: number }
  await until(
    'the documents to be indexed',
    async () => {
      const { body } = await meilisearch.call('GET', `/tasks/${taskUid}`)
      const { status } = body as { status: string }
      if (status === 'failed') throw new Error('the documents were refused')
      return status === 'succeeded'
    },
    { timeoutMs: 60_000 },
  )
}

/** Waits until no task is waiting or under way: queued writes travel in a snapshot, too. */
export async function idle(meilisearch: Pick<RunningMeilisearch, 'call'>): Promise<void> {
  await until(
    'the queue is empty',
    async () => {
      const { body } = await meilisearch.call('GET', '/tasks?statuses=enqueued,processing&limit=1')
      return (body as { results: unknown[] }).results.length === 0
    },
    { timeoutMs: 60_000 },
  )
}
