import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { RunningMeilisearch } from '../harness/meilisearch.ts'
import { until } from '../harness/until.ts'

/** About 2 KiB each, which don't compress much. */
const PER_MIB = 512
/** In one request. */
const BATCH = 4096

export const INDEX = 'docs'

export function makeDocument(id: number) {
  return { id, title: `title ${id}`, body: randomBytes(1500).toString('base64') }
}

/** Puts about so many MiB of documents into a Meilisearch; only their titles are searchable. */
export async function fill(meili: RunningMeilisearch, sizeMiB: number): Promise<void> {
  const settings = { searchableAttributes: ['title'] }
  await done(meili, await meili.call('POST', '/indexes', { uid: INDEX, primaryKey: 'id' }))
  await done(meili, await meili.call('PATCH', `/indexes/${INDEX}/settings`, settings))
  const count = Math.ceil(sizeMiB * PER_MIB)
  for (let first = 0; first < count; first += BATCH) {
    const length = Math.min(BATCH, count - first)
    const documents = Array.from({ length }, (_, i) => makeDocument(first + i))
    await done(meili, await meili.call('POST', `/indexes/${INDEX}/documents`, documents))
  }
}

/** Lets it write a snapshot. @returns its path */
export async function takeSnapshot(meili: RunningMeilisearch, directory: string): Promise<string> {
  await done(meili, await meili.call('POST', '/snapshots'))
  return join(directory, 'data.ms.snapshot')
}

/** Waits for the task that an answer names. */
export async function done(meili: RunningMeilisearch, answer: { body: unknown }): Promise<void> {
  const { taskUid } = answer.body as { taskUid: number }
  const ended = async () => {
    const { body } = await meili.call('GET', `/tasks/${taskUid}`)
    const { status } = body as { status: string }
    if (status === 'failed') return new Error(`task ${taskUid}: ${JSON.stringify(body)}`)
    return status === 'succeeded'
  }
  const end = await until(`task ${taskUid} is done`, ended, { timeoutMs: 600_000, everyMs: 20 })
  if (end instanceof Error) throw end
}
