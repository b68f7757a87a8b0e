export type Document = Record<string, unknown>

export interface TaskError {
  message: string
  code: string
  type: string
  link: string
}

/** A task as GET /tasks shows it. */
export interface TaskView {
  uid: number
  batchUid: number | null
  indexUid: string | null
  status: 'enqueued' | 'processing' | 'succeeded' | 'failed'
  type: string
  canceledBy: null
  details?: Record<string, unknown>
  error: TaskError | null
  duration: string | null
  enqueuedAt: string
  startedAt: string | null
  finishedAt: string | null
  customMetadata?: string
}

/** What the scheduler does for a task. */
export type Work =
  | { kind: 'put' | 'patch'; content: string; primaryKey: string | null }
  | { kind: 'delete'; ids: string[] }
  | { kind: 'clear' }
  | { kind: 'createIndex' | 'updateIndex'; primaryKey: string | null }
  | { kind: 'dropIndex' }
  | { kind: 'settings'; settings: Record<string, unknown> }
  | { kind: 'snapshot' }
  | { kind: 'upgrade' }

export interface StoredTask {
  view: TaskView
  work: Work
}

export interface IndexInfo {
  uid: string
  /** The name of its directory. */
  uuid: string
  primaryKey: string | null
  createdAt: string
  updatedAt: string
  settings: Record<string, unknown>
}

export interface Index {
  info: IndexInfo
  /** By primary key, in the order they came. */
  documents: Map<string, Document>
}

/** An API key without its value, which follows from the master key and the uid. */
export interface Key {
  name: string | null
  description: string | null
  uid: string
  actions: string[]
  indexes: string[]
  expiresAt: string | null
  createdAt: string
  updatedAt: string
}

/** Meilisearch's error object. */
export function errorOf(code: string, message: string, type = 'invalid_request'): TaskError {
  return { message, code, type, link: `https://docs.meilisearch.com/errors#${code}` }
}
