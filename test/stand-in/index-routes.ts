import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal, type Request, type Route } from './http.ts'
import type { Document, Index } from './model.ts'
import { enqueued, knownIndex, whole, type Api } from './api.ts'

export function indexRoutes(api: Api): Route[] {
  const { database, scheduler } = api
  const one = /^\/indexes\/([^/]+)$/
  const settings = /^\/indexes\/([^/]+)\/settings$/
  const setting = /^\/indexes\/([^/]+)\/settings\/([a-z-]+)$/
  return [
    {
      method: 'GET',
      path: /^\/indexes$/,
      action: 'indexes.get',
      handle: ({ query }) => {
        const offset = whole(query, 'offset', 'invalid_index_offset') ?? 0
        const limit = whole(query, 'limit', 'invalid_index_limit') ?? 20
        const all = [...database.indexes.values()]
          .map(shown)
          .toSorted((a, b) => (a.uid < b.uid ? -1 : 1))
        const results = all.slice(offset, offset + limit)
        return { status: 200, body: { results, offset, limit, total: all.length } }
      },
    },
    {
      method: 'POST',
      path: /^\/indexes$/,
      action: 'indexes.create',
      handle: async (request) => {
        const { uid, primaryKey = null } = (await request.json()) as Partial<Index['info']>
        const work = { kind: 'createIndex', primaryKey } as const
        const details = { primaryKey }
        const indexUid = validIndexUid(uid ?? '')
        return enqueued(scheduler.register({ type: 'indexCreation', indexUid, details, work }))
      },
    },
    {
      ...{ method: 'GET', path: one, action: 'indexes.get', onIndex: true },
      handle: (request) => ({ status: 200, body: shown(indexOf(api, request)) }),
    },
    {
      ...{ method: 'PATCH', path: one, action: 'indexes.update', onIndex: true },
      handle: async (request) => {
        const { primaryKey = null } = (await request.json()) as Partial<Index['info']>
        const work = { kind: 'updateIndex', primaryKey } as const
        const indexUid = validIndexUid(request.params[0] ?? '')
        const details = { primaryKey }
        return enqueued(scheduler.register({ type: 'indexUpdate', indexUid, details, work }))
      },
    },
    {
      ...{ method: 'DELETE', path: one, action: 'indexes.delete', onIndex: true },
      handle: ({ params: [indexUid = ''] }) => {
        const work = { kind: 'dropIndex' } as const
        return enqueued(scheduler.register({ type: 'indexDeletion', indexUid, work }))
      },
    },
    {
      ...{ method: 'GET', path: settings, action: 'settings.get', onIndex: true },
      handle: (request) => ({ status: 200, body: indexOf(api, request).info.settings }),
    },
    {
      ...{ method: 'PATCH', path: settings, action: 'settings.update', onIndex: true },
      handle: async (request) => changeSettings(api, request, (await request.json()) as Document),
    },
    {
      ...{ method: 'PUT', path: setting, action: 'settings.update', onIndex: true },
      handle: async (request) => {
        const name = (request.params[1] ?? '').replaceAll(/-(.)/g, (_, c: string) =>
          c.toUpperCase(),
        )
        return changeSettings(api, request, { [name]: await request.json() })
      },
    },
    {
      ...{ method: 'GET', path: /^\/indexes\/([^/]+)\/stats$/, action: 'stats.get', onIndex: true },
      handle: (request) => ({ status: 200, body: statsOf(api, indexOf(api, request)) }),
    },
    {
      method: 'GET',
      path: /^\/stats$/,
      action: 'stats.get',
      handle: () => ({
        status: 200,
        body: {
          databaseSize: sizeOf(database.dir),
          usedDatabaseSize: sizeOf(database.dir),
          lastUpdate:
            [...database.indexes.values()]
              .map((i) => i.info.updatedAt)
              .toSorted()
              .at(-1) ?? null,
          indexes: Object.fromEntries(
            [...database.indexes].map(([uid, index]) => [uid, statsOf(api, index)]),
          ),
        },
      }),
    },
  ]
}

function changeSettings(api: Api, request: Request, settings: Document) {
  const indexUid = validIndexUid(request.params[0] ?? '')
  const work = { kind: 'settings', settings } as const
  const task = { type: 'settingsUpdate', indexUid, details: settings, work }
  return enqueued(api.scheduler.register(task))
}

function indexOf(api: Api, { params: [uid = ''] }: Request): Index {
  return knownIndex(api.database, uid)
}

function shown({ info: { uid, createdAt, updatedAt, primaryKey } }: Index) {
  return { uid, createdAt, updatedAt, primaryKey }
}

function statsOf(api: Api, { info, documents }: Index) {
  const fieldDistribution: Record<string, number> = {}
  for (const document of documents.values()) {
    for (const field of Object.keys(document)) {
      fieldDistribution[field] = (fieldDistribution[field] ?? 0) + 1
    }
  }
  return {
    numberOfDocuments: documents.size,
    isIndexing: api.scheduler.isIndexing(info.uid),
    fieldDistribution,
  }
}

function sizeOf(dir: string): number {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
  return files
    .filter((file) => file.isFile())
    .reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0)
}

export function validIndexUid(uid: string): string {
  if (/^[a-zA-Z0-9_-]{1,512}$/.test(uid)) return uid
  throw new Refusal(
    400,
    'invalid_index_uid',
    `\`${uid}\` is not a valid index uid. Index uid can be an integer or a string containing only alphanumeric characters, hyphens (-) and underscores (_), and can not be more than 512 bytes.`,
  )
}
