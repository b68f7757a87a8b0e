import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Member } from '../cluster/member.ts'
import { loadDocuments } from '../demo/documents.ts'
import type { Kill } from '../demo/breakage.ts'
import { startScene, type Scene } from '../demo/scene.ts'
import { startWatch, type Watch } from '../faults/watch.ts'
import { until } from '../harness/until.ts'

/** What is measured: each way to break a primary, and the swap of a standby. */
export type Kind = Kill | 'swap'

/** A scene under measurement. */
export interface Ground extends AsyncDisposable {
  scene: Scene
  watch: Watch
  /** Bytes of the primary's live directory when it was loaded. */
  dataBytes: number
  /** Ids of documents that no run has written yet. */
  nextId: number
}

export const PATIENCE = { timeoutMs: 90_000, everyMs: 50 }

/** What `--every` is while measuring: what may be lost follows from it. */
export const EVERY: Record<Kind, string> = {
  process: '10s',
  member: '10s',
  freeze: '10s',
  partition: '10s',
  // Nothing but the final snapshot counts there; the data is large.
  switchover: '60s',
  swap: '3s',
}

const BATCH = 2000

/** @param size of the primary's data directory, in bytes, at least */
export async function prepare(kind: Kind, leaseDuration: string, size: number): Promise<Ground> {
  await using stack = new AsyncDisposableStack()
  const scene = stack.use(
    await startScene({
      bin: process.env['MEILISEARCH_BIN'],
      lease: 'store',
      leaseDuration,
      store: undefined,
      partition: kind === 'partition',
      flags: { uploader: ['--every', EVERY[kind], '--max-duty', '50%'] },
    }),
  )
  const watch = stack.use(startWatch(scene.cluster.members))
  const primary = await scene.cluster.primary(PATIENCE.timeoutMs)
  let documents = 0
  let dataBytes = 0
  do {
    await loadDocuments(primary, BATCH, { first: documents, long: size > 0 })
    documents += BATCH
    dataBytes = await sizeOf(join(primary.data, 'data.ms'))
  } while (dataBytes < size)
  const ground = { scene, watch, dataBytes, nextId: 1 }
  await settled(ground)
  const owned = stack.move()
  return { ...ground, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** The primary and its standby, once that one serves and has documents: where each run begins. */
export async function settled({ scene }: Pick<Ground, 'scene'>): Promise<[Member, Member]> {
  const { cluster } = scene
  const primary = await cluster.primary(PATIENCE.timeoutMs)
  const standby = cluster.members.find((member) => member !== primary) as Member
  await cluster.standby(standby, PATIENCE.timeoutMs)
  const hasDocuments = async () =>
    (await standby.call('GET', '/indexes/books/documents?limit=1')).status === 200
  await until('the standby has documents', hasDocuments, PATIENCE)
  return [primary, standby]
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    bytes += await stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    )
  }
  return bytes
}
