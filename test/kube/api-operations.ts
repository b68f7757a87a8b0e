import { type Attempt, isAllowed, type PolicyRule } from './access-rules.ts'
import { ApiStatus, forbidden, invalid } from './api-status.ts'
import type { KubeObject, ObjectStore } from './object-store.ts'

export interface ApiRequest {
  method: string
  path: string
  query: URLSearchParams
  contentType: string
  body: unknown
  /** What the caller may do; `all` for the administrator. */
  rules: PolicyRule[] | 'all'
}

const REVIEW = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'

/** The path of a namespaced resource: folder, group, resource and, for one object, its name. */
const RESOURCE =
  /^(?<folder>\/(?:api\/v1|apis\/(?<group>[^/]+)\/[^/]+)\/namespaces\/[^/]+\/(?<resource>[^/]+))(?:\/(?<name>[^/]+))?$/

/** Does what a request asks for, under the caller's rights. @throws ApiStatus */
export function operate(
  store: ObjectStore,
  request: ApiRequest,
): { status: number; body: unknown } {
  if (request.path === REVIEW && request.method === 'POST') return review(request)
  const found = RESOURCE.exec(request.path)?.groups
  if (!found) throw new ApiStatus(404, 'NotFound', 'the server could not find this resource')
  const { folder = '', group = '', resource = '', name } = found
  const verb = verbOf(request.method, name)
  const attempt = { verb, group, resource, name: name ?? nameIn(request.body) }
  const unnamed = verb === 'create' ? { ...attempt, name: undefined } : attempt
  if (request.rules !== 'all' && !isAllowed(request.rules, unnamed)) {
    throw forbidden(`${resource} is forbidden: cannot ${verb}`)
  }
  if (verb === 'create' || verb === 'update') validate(resource, request.body as KubeObject)
  switch (verb) {
    case 'get':
      return { status: 200, body: store.get(request.path) }
    case 'list':
      return {
        status: 200,
        body: { items: store.list(folder, request.query.get('labelSelector')) },
      }
    case 'create':
      return { status: 201, body: store.create(folder, request.body as KubeObject) }
    case 'update':
      return { status: 200, body: store.replace(request.path, request.body as KubeObject) }
    case 'patch':
      if (request.contentType !== 'application/merge-patch+json') {
        throw new ApiStatus(415, 'UnsupportedMediaType', request.contentType)
      }
      return { status: 200, body: store.patch(request.path, request.body as object) }
    default:
      return { status: 200, body: store.delete(request.path) }
  }
}

function verbOf(method: string, name: string | undefined): string {
  if (method === 'GET') return name === undefined ? 'list' : 'get'
  const verb = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }[method]
  if (!verb) throw new ApiStatus(405, 'MethodNotAllowed', method)
  return verb
}

function nameIn(body: unknown): string | undefined {
  return (body as { metadata?: { name?: string } } | undefined)?.metadata?.name
}

function review({ body, rules }: ApiRequest) {
  const { spec } = body as { spec: { resourceAttributes: Attempt } }
  const allowed = rules === 'all' || isAllowed(rules, spec.resourceAttributes)
  return { status: 201, body: { ...(body as object), status: { allowed } } }
}

/** The rules of the real one that a keeper could break. */
function validate(resource: string, body: KubeObject): void {
  const { generateName = 'name-' } = body.metadata as { generateName?: string }
  if (!/^[a-z0-9][a-z0-9.-]*-$/.test(generateName)) throw invalid('metadata.generateName')
  if (resource === 'events' && String(body['note']).length > 1024) throw invalid('note: too long')
  if (resource !== 'leases') return
  const spec = (body['spec'] ?? {}) as Record<string, unknown>
  if (spec['holderIdentity'] === '') throw invalid('spec.holderIdentity must not be empty')
  const seconds = spec['leaseDurationSeconds'] ?? 1
  if (!(Number.isInteger(seconds) && (seconds as number) > 0)) {
    throw invalid('spec.leaseDurationSeconds must be greater than 0')
  }
  for (const field of ['renewTime', 'acquireTime']) {
    const time = (spec[field] ?? '2000-01-01T00:00:00.000000Z') as string
    // Go reads a MicroTime with exactly six digits.
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(time)) {
      throw new ApiStatus(400, 'BadRequest', `cannot parse spec.${field}`)
    }
  }
}
