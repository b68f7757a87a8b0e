import { copyFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { startMeilisearch } from '../harness/meilisearch.ts'
import { until } from '../harness/until.ts'

/**
 * Snapshots of one Meilisearch (the stand-in, or the real one of MEILISEARCH_BIN) as it grows: the
 * n-th holds the indexes `i1` to `in`, of one document each.
 * @returns their files, in `directory`
 */
export async function makeSnapshots(directory: string, count: number): Promise<string[]> {
  await using meili = await startMeilisearch({
    dbPath: join(directory, 'source', 'data.ms'),
    snapshotDir: join(directory, 'source', 'snapshots'),
  })
  const done = async (answer: { body: unknown }) => {
    const { taskUid } = answer.body as { taskUid: number }
    await until(`task ${taskUid} is done`, async () => {
      const { body } = await meili.call('GET', `/tasks/${taskUid}`)
      return (body as { status: string }).status === 'succeeded'
    })
  }
  const files: string[] = []
  for (let n = 1; n <= count; n++) {
    await done(await meili.call('POST', `/indexes/i${n}/documents`, [{ id: n }]))
    await done(await meili.call('POST', '/snapshots'))
    const file = join(directory, `${n}.snapshot`)
    await copyFile(join(directory, 'source', 'snapshots', 'data.ms.snapshot'), `${file}.part`)
    await rename(`${file}.part`, file)
    files.push(file)
  }
  return files
}
