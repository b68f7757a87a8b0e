import { Refusal, type Request, type Route } from './http.ts'
import { GLOBAL, keyValue, newKey } from './keys.ts'
import type { Key } from './model.ts'
import type { Api } from './api.ts'

export function keyRoutes(api: Api): Route[] {
  const { database, masterKey = '' } = api
  const one = /^\/keys\/([^/]+)$/
  const shown = (key: Key) => {
    const { name, description, ...rest } = key
    return { name, description, key: keyValue(masterKey, key.uid), ...rest }
  }
  const found = ({ params: [id = ''] }: Request): Key => {
    const known = [...database.keys.values()]
    const key = known.find(({ uid }) => uid === id || keyValue(masterKey, uid) === id)
    if (key) return key
    throw new Refusal(404, 'api_key_not_found', `API key \`${id}\` not found.`)
  }
  return [
    {
      method: 'GET',
      path: /^\/keys$/,
      action: 'keys.get',
      handle: () => {
        const results = [...database.keys.values()].toReversed().map(shown)
        const total = results.length
        return { status: 200, body: { results: results.slice(0, 20), offset: 0, limit: 20, total } }
      },
    },
    {
      method: 'POST',
      path: /^\/keys$/,
      action: 'keys.create',
      handle: async ({ json }) => {
        const wanted = (await json()) as Partial<Key>
        for (const field of ['actions', 'indexes', 'expiresAt'] as const) {
          if (wanted[field] !== undefined) continue
          const code = `missing_api_key_${field === 'expiresAt' ? 'expires_at' : field}`
          throw new Refusal(400, code, `Missing field \`${field}\``)
        }
        if (wanted.uid !== undefined && database.keys.has(wanted.uid)) {
          const why = `\`uid\` field value \`${wanted.uid}\` is already an existing API key.`
          throw new Refusal(409, 'api_key_already_exists', why)
        }
        const global = wanted.actions?.find((action) => GLOBAL.test(action))
        if (global !== undefined && !wanted.indexes?.includes('*')) {
          const why = `cannot create index-scoped API key with global action \`"${global}"\``
          throw new Refusal(400, 'index_scoped_api_key_with_global_action', why)
        }
        const key = newKey(wanted, new Date().toISOString())
        database.saveKey(key)
        return { status: 201, body: shown(key) }
      },
    },
    {
      ...{ method: 'GET', path: one, action: 'keys.get' },
      handle: (request) => ({ status: 200, body: shown(found(request)) }),
    },
    {
      ...{ method: 'DELETE', path: one, action: 'keys.delete' },
      handle: (request) => {
        database.dropKey(found(request).uid)
        return { status: 204, body: undefined }
      },
    },
  ]
}
