import { Refusal, parseJson, type Answer, type Request, type Route } from './http.ts'
import { validIndexUid } from './index-routes.ts'
import type { Document } from './model.ts'
import { enqueued, knownIndex, whole, type Api } from './api.ts'
import { facetSearch, only, search, type Query } from './search.ts'

export function documentRoutes(api: Api): Route[] {
  const { database, scheduler } = api
  const all = /^\/indexes\/([^/]+)\/documents$/
  const one = /^\/indexes\/([^/]+)\/documents\/([^/]+)$/
  const find = /^\/indexes\/([^/]+)\/search$/
  const add = { path: all, action: 'documents.add', onIndex: true }
  const get = { path: all, action: 'documents.get', onIndex: true }
  const remove = { action: 'documents.delete', onIndex: true }
  return [
    { ...add, method: 'POST', handle: (request) => addDocuments(api, request, 'put') },
    { ...add, method: 'PUT', handle: (request) => addDocuments(api, request, 'patch') },
    {
      ...{ ...get, method: 'GET' },
      handle: ({ params: [uid = ''], query }) => {
        const fields = query.get('fields')?.split(',') ?? ['*']
        const offset = whole(query, 'offset', 'invalid_document_offset') ?? 0
        const limit = whole(query, 'limit', 'invalid_document_limit') ?? 20
        const { documents } = knownIndex(database, uid)
        const results = [...documents.values()]
          .slice(offset, offset + limit)
          .map((document) => only(document, fields))
        return { status: 200, body: { results, offset, limit, total: documents.size } }
      },
    },
    {
      ...{ ...get, method: 'GET', path: one },
      handle: ({ params: [uid = '', id = ''] }) => {
        const document = knownIndex(database, uid).documents.get(id)
        if (document) return { status: 200, body: document }
        throw new Refusal(404, 'document_not_found', `Document \`${id}\` not found.`)
      },
    },
    {
      ...{ ...remove, method: 'DELETE', path: one },
      handle: (request) => deleteDocuments(api, request, [request.params[1] ?? '']),
    },
    {
      ...{ ...remove, method: 'DELETE', path: all },
      handle: (request) => {
        const task = { type: 'documentDeletion', indexUid: request.params[0] ?? '' }
        return enqueued(
          scheduler.register({ ...task, ...metadata(request), work: { kind: 'clear' } }),
        )
      },
    },
    {
      ...{ ...remove, method: 'POST', path: /^\/indexes\/([^/]+)\/documents\/delete-batch$/ },
      handle: async (request) =>
        deleteDocuments(api, request, ((await request.json()) as unknown[]).map(String)),
    },
    {
      ...{ method: 'POST', path: find, action: 'search', onIndex: true },
      handle: async ({ params: [uid = ''], json }) => ({
        status: 200,
        body: search(knownIndex(database, uid), (await json()) as Query),
      }),
    },
    {
      ...{ method: 'GET', path: find, action: 'search', onIndex: true },
      handle: ({ params: [uid = ''], query }) => ({
        status: 200,
        body: search(knownIndex(database, uid), {
          q: query.get('q') ?? '',
          offset: whole(query, 'offset', 'invalid_search_offset') ?? 0,
          limit: whole(query, 'limit', 'invalid_search_limit') ?? 20,
          attributesToRetrieve: query.get('attributesToRetrieve')?.split(',') ?? ['*'],
        }),
      }),
    },
    {
      ...{ method: 'POST', path: /^\/multi-search$/, action: 'search' },
      handle: async ({ json }) => {
        const { queries } = (await json()) as { queries: (Query & { indexUid: string })[] }
        const results = queries.map(({ indexUid, ...query }) => ({
          indexUid,
          ...search(knownIndex(database, indexUid), query),
        }))
        return { status: 200, body: { results } }
      },
    },
    {
      ...{
        method: 'POST',
        path: /^\/indexes\/([^/]+)\/facet-search$/,
        action: 'search',
        onIndex: true,
      },
      handle: async ({ params: [uid = ''], json }) => {
        const body = (await json()) as { facetName: string; facetQuery?: string }
        const found = facetSearch(knownIndex(database, uid), body.facetName, body.facetQuery)
        return { status: 200, body: found }
      },
    },
  ]
}

async function addDocuments(api: Api, request: Request, kind: 'put' | 'patch'): Promise<Answer> {
  const indexUid = validIndexUid(request.params[0] ?? '')
  const documents = await payload(request)
  const content = api.database.saveContent(documents)
  const task = api.scheduler.register({
    type: 'documentAdditionOrUpdate',
    indexUid,
    details: { receivedDocuments: documents.length, indexedDocuments: null },
    ...metadata(request),
    work: { kind, content, primaryKey: request.query.get('primaryKey') },
  })
  return enqueued(task)
}

async function payload({ contentType, text }: Request): Promise<Document[]> {
  const accepted = ['application/json', 'application/x-ndjson']
  if (!accepted.includes(contentType)) {
    const list = [...accepted, 'text/csv'].map((one) => `\`${one}\``).join(', ')
    const why = `The Content-Type \`${contentType}\` is invalid. Accepted values for the Content-Type header are: ${list}`
    throw new Refusal(415, 'invalid_content_type', why)
  }
  const body = await text()
  if (contentType === 'application/json') return [parseJson(body)].flat() as Document[]
  return body
    .split('\n')
    .filter(Boolean)
    .map((line) => parseJson(line) as Document)
}

function deleteDocuments(api: Api, request: Request, ids: string[]): Answer {
  const task = api.scheduler.register({
    type: 'documentDeletion',
    indexUid: request.params[0] ?? '',
    details: { providedIds: ids.length, deletedDocuments: null, originalFilter: null },
    ...metadata(request),
    work: { kind: 'delete', ids },
  })
  return enqueued(task)
}

function metadata({ query }: Request): { customMetadata?: string } {
  const customMetadata = query.get('customMetadata')
  return customMetadata === null ? {} : { customMetadata }
}
