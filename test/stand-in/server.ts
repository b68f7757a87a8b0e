import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Database } from './database.ts'
import { parseJson, readText, Refusal, refuse, reply, type Answer, type Route } from './http.ts'
import { authorize } from './keys.ts'

/** Serves the routes behind the key check, with Meilisearch's 404, 405, 401 and 403. */
export function createApi(
  routes: readonly Route[],
  database: Database,
  masterKey: string | undefined,
): Server {
  // As in Meilisearch, an idle connection is kept.
  return createServer({ keepAliveTimeout: 0 }, (message, response) => {
    answer(routes, database, masterKey, message)
      .catch(refuse)
      .then((result) => reply(response, result))
      .catch(() => response.destroy())
  })
}

async function answer(
  routes: readonly Route[],
  database: Database,
  masterKey: string | undefined,
  message: IncomingMessage,
): Promise<Answer> {
  const url = new URL(message.url ?? '/', 'http://localhost')
  const matching = routes.filter((route) => route.path.test(url.pathname))
  const route = matching.find((one) => one.method === message.method)
  if (!route) return { status: matching.length > 0 ? 405 : 404, body: undefined }
  const params = (route.path.exec(url.pathname) ?? []).slice(1).map(decodeURIComponent)
  const access = authorize(
    database,
    route.action === null ? undefined : masterKey,
    message.headers.authorization,
    {
      action: route.action ?? '',
      ...(route.onIndex && params[0] !== undefined ? { indexUid: params[0] } : {}),
    },
    Date.now(),
  )
  if (access === 'missing') {
    const why = 'The Authorization header is missing. It must use the bearer authorization method.'
    throw new Refusal(401, 'missing_authorization_header', why, 'auth')
  }
  if (access === 'invalid') {
    throw new Refusal(403, 'invalid_api_key', 'The provided API key is invalid.', 'auth')
  }
  const text = () => readText(message)
  return route.handle({
    params,
    query: url.searchParams,
    access,
    text,
    json: async () => parseJson(await text()),
    contentType: (message.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '',
  })
}
