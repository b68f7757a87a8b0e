import { cp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startMeilisearch } from '../harness/meilisearch.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { startProgram } from '../harness/process.ts'
import { cliOf } from '../uploader/programs.ts'
import { MASTER_KEY, type Member } from '../cluster/member.ts'

/** Paths of the directories that a member keeps until a person removes them. */
export async function setAside({ data }: Member): Promise<string[]> {
  const names = await readdir(data)
  return names.filter((name) => name.startsWith('data.ms.diverged-')).map((n) => join(data, n))
}

/** Starts a Meilisearch of its own on a copy of a directory, and looks whether it holds a document. */
export async function holds(directory: string, id: number): Promise<boolean> {
  await using scratch = await tempDir()
  const dbPath = join(scratch.path, 'data.ms')
  await cp(directory, dbPath, { recursive: true })
  await using meilisearch = await startMeilisearch({ dbPath, masterKey: MASTER_KEY })
  const { status } = await meilisearch.call('GET', `/indexes/books/documents/${id}`)
  return status === 200
}

/** What `fetcher discard` shows of a member's directory, without removing anything. */
export async function shownByDiscard({ data }: Member): Promise<string> {
  await using child = startProgram(cliOf('fetcher'), ['discard', '--data-dir', data])
  await child.exited
  return child.output()
}
