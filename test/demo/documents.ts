import type { RunningMeilisearch } from '../harness/meilisearch.ts'
import { until } from '../harness/until.ts'

const WORDS = 'amber basil cedar delta ember fjord grove harbor iris juniper kelp lumen'.split(' ')

/** How many words a book of the bench holds: Meilisearch makes several kilobytes of them. */
const LONG = 100

/** Adds `count` made-up books with ids from `first` on, and waits until they are searchable. */
export async function loadDocuments(
  meilisearch: Pick<RunningMeilisearch, 'call'>,
  count: number,
  { first = 0, long = false } = {},
): Promise<void> {
  const books = Array.from({ length: count }, (_, index) => bookOf(first + index, long))
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

function bookOf(id: number, long: boolean): Record<string, unknown> {
  const title = [id, id * 7, id * 13].map((n) => WORDS[n % WORDS.length]).join(' ')
  const book = { id, title, year: 1900 + (id % 125) }
  if (!long) return book
  const words = Array.from({ length: LONG }, (_, at) =>
    ((id * 7919 + at * 104_729) % 9973).toString(36),
  )
  return { ...book, text: words.join(' ') }
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
