import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Journal, readJournal } from './journal.ts'
import type { Document, Index, IndexInfo, Key, StoredTask } from './model.ts'

type TasksLine =
  | { standIn: 1; version: string }
  | { task: StoredTask }
  | { index: IndexInfo }
  | { dropped: string }
type IndexLine = { put: Document[] } | { del: string[] } | { clear: true }
type AuthLine = { key: Key } | { droppedKey: string }

/** One database directory, held in memory, with the layout of a real one on disk. */
export class Database {
  readonly dir: string
  /** By uid, lowest first. */
  readonly tasks = new Map<number, StoredTask>()
  readonly indexes = new Map<string, Index>()
  readonly keys = new Map<string, Key>()
  /** The version that last wrote `tasks/data.mdb`; undefined when it is new. */
  internalVersion: string | undefined
  /** A real Meilisearch wrote it: nothing can be read, and nothing of it may be overwritten. */
  readonly foreign: boolean
  readonly #tasksFile: Journal | undefined
  readonly #authFile: Journal | undefined
  readonly #indexFiles = new Map<string, Journal>()
  #nextTaskUid = 0

  constructor(dir: string) {
    this.dir = dir
    const tasks = readJournal(join(dir, 'tasks', 'data.mdb'))
    this.foreign = tasks === undefined
    for (const line of (tasks ?? []) as TasksLine[]) this.#readTasksLine(line)
    for (const line of (readJournal(join(dir, 'auth', 'data.mdb')) ?? []) as AuthLine[]) {
      if ('key' in line) this.keys.set(line.key.uid, line.key)
      else this.keys.delete(line.droppedKey)
    }
    for (const index of this.indexes.values()) this.#readDocuments(index)
    for (const sub of ['update_files', 'indexes']) mkdirSync(join(dir, sub), { recursive: true })
    if (this.foreign) return
    this.#tasksFile = new Journal(join(dir, 'tasks', 'data.mdb'))
    this.#authFile = new Journal(join(dir, 'auth', 'data.mdb'))
  }

  get nextTaskUid(): number {
    return this.#nextTaskUid
  }

  saveVersion(version: string): void {
    this.internalVersion = version
    this.#tasksFile?.append({ standIn: 1, version } satisfies TasksLine)
  }

  saveTask(task: StoredTask): void {
    this.#holdTask(task)
    this.#tasksFile?.append({ task } satisfies TasksLine)
  }

  /** Creates the index or notes what changed about it. */
  saveIndex(uid: string, change: Partial<IndexInfo>, now: string): Index {
    const fresh = { uid, uuid: randomUUID(), primaryKey: null, createdAt: now, settings: {} }
    const index = this.indexes.get(uid) ?? {
      info: { ...fresh, updatedAt: now },
      documents: new Map(),
    }
    index.info = { ...index.info, ...change, updatedAt: now }
    this.indexes.set(uid, index)
    this.#tasksFile?.append({ index: index.info } satisfies TasksLine)
    return index
  }

  dropIndex(uid: string): void {
    const index = this.indexes.get(uid)
    if (!index) return
    this.indexes.delete(uid)
    this.#tasksFile?.append({ dropped: uid } satisfies TasksLine)
    rmSync(this.#indexDir(index), { recursive: true, force: true })
  }

  changeDocuments(index: Index, change: IndexLine): void {
    apply(index, change)
    if (this.foreign) return
    const { uuid } = index.info
    const file = this.#indexFiles.get(uuid) ?? new Journal(join(this.#indexDir(index), 'data.mdb'))
    this.#indexFiles.set(uuid, file)
    file.append(change)
  }

  saveKey(key: Key): void {
    this.keys.set(key.uid, key)
    this.#authFile?.append({ key } satisfies AuthLine)
  }

  dropKey(uid: string): void {
    this.keys.delete(uid)
    this.#authFile?.append({ droppedKey: uid } satisfies AuthLine)
  }

  /** Keeps a payload until its task is done; returns the name of its update file. */
  saveContent(documents: readonly Document[]): string {
    const uuid = randomUUID()
    writeFileSync(this.#contentPath(uuid), JSON.stringify(documents), { mode: 0o600 })
    return uuid
  }

  readContent(uuid: string): Document[] {
    const path = this.#contentPath(uuid)
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Document[]) : []
  }

  dropContent(uuid: string): void {
    rmSync(this.#contentPath(uuid), { force: true })
  }

  #holdTask(task: StoredTask): void {
    this.tasks.set(task.view.uid, task)
    this.#nextTaskUid = Math.max(this.#nextTaskUid, task.view.uid + 1)
  }

  #readTasksLine(line: TasksLine): void {
    if ('standIn' in line) this.internalVersion = line.version
    else if ('task' in line) this.#holdTask(line.task)
    else if ('dropped' in line) this.indexes.delete(line.dropped)
    else this.indexes.set(line.index.uid, { info: line.index, documents: new Map() })
  }

  #readDocuments(index: Index): void {
    const lines = readJournal(join(this.#indexDir(index), 'data.mdb')) ?? []
    for (const line of lines as IndexLine[]) apply(index, line)
  }

  #indexDir(index: Index): string {
    return join(this.dir, 'indexes', index.info.uuid)
  }

  #contentPath(uuid: string): string {
    return join(this.dir, 'update_files', uuid)
  }
}

function apply(index: Index, change: IndexLine): void {
  if ('clear' in change) index.documents.clear()
  else if ('del' in change) for (const id of change.del) index.documents.delete(id)
  else {
    const { primaryKey } = index.info
    for (const document of change.put) {
      index.documents.set(String(document[primaryKey ?? 'id']), document)
    }
  }
}
