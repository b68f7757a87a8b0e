import type { Database } from './database.ts'
import type { Document, Index, StoredTask } from './model.ts'

/** Why a task failed. */
export class TaskFailure extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Does what an index or document task asks, and returns what its details then say. @throws TaskFailure */
export function applyTask(
  database: Database,
  { view, work }: StoredTask,
  now: string,
): Record<string, unknown> {
  const uid = view.indexUid ?? ''
  switch (work.kind) {
    case 'put':
    case 'patch':
      return addDocuments(database, uid, work, now)
    case 'delete': {
      const index = existing(database, uid)
      const known = work.ids.filter((id) => index.documents.has(id))
      database.changeDocuments(index, { del: known })
      return { deletedDocuments: known.length }
    }
    case 'clear': {
      const index = existing(database, uid)
      const { size } = index.documents
      database.changeDocuments(index, { clear: true })
      return { deletedDocuments: size }
    }
    case 'createIndex':
      if (database.indexes.has(uid)) {
        throw new TaskFailure('index_already_exists', `Index \`${uid}\` already exists.`)
      }
      database.saveIndex(uid, { primaryKey: work.primaryKey }, now)
      return {}
    case 'updateIndex':
      existing(database, uid)
      database.saveIndex(uid, { primaryKey: work.primaryKey }, now)
      return {}
    case 'dropIndex': {
      const { size } = existing(database, uid).documents
      database.dropIndex(uid)
      return { deletedDocuments: size }
    }
    case 'settings': {
      const settings = { ...database.indexes.get(uid)?.info.settings, ...work.settings }
      database.saveIndex(uid, { settings }, now)
      return {}
    }
    default:
      // Snapshots and upgrades change no index.
      return {}
  }
}

function existing(database: Database, uid: string): Index {
  const index = database.indexes.get(uid)
  if (!index) throw new TaskFailure('index_not_found', `Index \`${uid}\` not found.`)
  return index
}

function addDocuments(
  database: Database,
  uid: string,
  work: { kind: 'put' | 'patch'; content: string; primaryKey: string | null },
  now: string,
): Record<string, unknown> {
  const documents = database.readContent(work.content)
  const known = database.indexes.get(uid)?.info.primaryKey
  const primaryKey = known ?? work.primaryKey ?? guessPrimaryKey(documents[0])
  for (const document of documents) checkId(document, primaryKey)
  const index = database.saveIndex(uid, documents.length > 0 ? { primaryKey } : {}, now)
  const merged = documents.map((document) =>
    work.kind === 'put'
      ? document
      : { ...index.documents.get(String(document[primaryKey])), ...document },
  )
  database.changeDocuments(index, { put: merged })
  return { indexedDocuments: documents.length }
}

function guessPrimaryKey(document: Document | undefined): string {
  const candidates = Object.keys(document ?? { id: 0 }).filter((name) => /id$/i.test(name))
  const [only] = candidates
  if (only !== undefined && candidates.length === 1) return only
  throw only === undefined
    ? new TaskFailure(
        'index_primary_key_no_candidate_found',
        'The primary key inference failed as the engine did not find any field ending with `id` in its name. Please specify the primary key manually using the `primaryKey` query parameter.',
      )
    : new TaskFailure(
        'index_primary_key_multiple_candidates_found',
        `The primary key inference failed as the engine found ${candidates.length} fields ending with \`id\` in their names: '${candidates[0]}' and '${candidates[1]}'. Please specify the primary key manually using the \`primaryKey\` query parameter.`,
      )
}

function checkId(document: Document, primaryKey: string): void {
  const id = document[primaryKey] as string | number | undefined
  if (id === undefined) {
    throw new TaskFailure(
      'missing_document_id',
      `Document doesn't have a \`${primaryKey}\` attribute: \`${JSON.stringify(document)}\`.`,
    )
  }
  if (!/^[a-zA-Z0-9_-]{1,511}$/.test(String(id))) {
    throw new TaskFailure(
      'invalid_document_id',
      `Document identifier \`${JSON.stringify(id)}\` is invalid. A document identifier can be of type integer or string, only composed of alphanumeric characters (a-z A-Z 0-9), hyphens (-) and underscores (_), and can not be more than 511 bytes.`,
    )
  }
}
