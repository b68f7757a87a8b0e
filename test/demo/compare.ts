import type { RunningMeilisearch } from '../harness/meilisearch.ts'

const QUERIES = ['amber', 'cedar harbor', 'zephyr', 'iris', '']

/** Asks both the same questions; what they answer differently, in words. */
export async function compare(
  a: RunningMeilisearch,
  b: RunningMeilisearch,
): Promise<{ questions: number; differences: string[] }> {
  const differences: string[] = []
  let questions = 0
  const same = async (method: string, path: string, body?: unknown) => {
    questions += 1
    const [left, right] = await Promise.all([
      a.call(method, path, body),
      b.call(method, path, body),
    ])
    const [x, y] = [essence(left), essence(right)]
    if (x !== y) differences.push(`${method} ${path}\n  ${x.slice(0, 200)}\n  ${y.slice(0, 200)}`)
    return left.body
  }
  const { results } = (await same('GET', '/indexes?limit=100')) as { results: { uid: string }[] }
  for (const { uid } of results) {
    await same('GET', `/indexes/${uid}/settings`)
    await same('GET', `/indexes/${uid}/documents?limit=1000`)
    for (const q of QUERIES) await same('POST', `/indexes/${uid}/search`, { q, limit: 50 })
  }
  return { questions, differences }
}

/** When a queued task was processed, how long a search took, and its id. */
const VARIES = ['updatedAt', 'processingTimeMs', 'requestUid']

/** What must be equal. */
function essence(answer: { status: number; body: unknown }): string {
  return JSON.stringify(answer, (key, value: unknown) => (VARIES.includes(key) ? undefined : value))
}
