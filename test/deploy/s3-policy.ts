import { document } from '../docs/markdown.ts'

export interface Grant {
  action: string
  /** The key as the policy has it, below the prefix; `''` = the bucket. */
  keys: string
}

interface Statement {
  Effect: string
  Action: string[]
  Resource: string | string[]
}

const BUCKET = 'arn:aws:s3:::my-backups'
const PREFIX = `${BUCKET}/search/`

/** Which action allows what the server was asked for: AWS's own table, as far as we need it. */
const ACTIONS: Record<string, string> = {
  ListObjectsV2: 's3:ListBucket',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  GetObject: 's3:GetObject',
  HeadObject: 's3:GetObject',
  PutObject: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  ListParts: 's3:ListMultipartUploadParts',
  DeleteObject: 's3:DeleteObject',
}

/** Everything that one of deploy/security/policies allows, one action and one resource each. */
export function grantsOf(program: string): Grant[] {
  const file = document(`deploy/security/policies/${program}.json`)
  const { Statement } = JSON.parse(file) as { Statement: Statement[] }
  return Statement.flatMap(({ Action, Resource }) =>
    Action.flatMap((action) =>
      [Resource].flat().map((resource) => {
        if (resource !== BUCKET && !resource.startsWith(PREFIX)) throw new Error(resource)
        return { action, keys: resource === BUCKET ? '' : resource.slice(PREFIX.length) }
      }),
    ),
  )
}

/** Whether a grant is what allows this request; `key` with the prefix `search/`. */
export function allows({ action, keys }: Grant, { op, key }: { op: string; key: string }): boolean {
  if (ACTIONS[op] !== action) return false
  if (keys === '' || key === '') return keys === key
  return keys.endsWith('*')
    ? key.startsWith(`search/${keys.slice(0, -1)}`)
    : key === `search/${keys}`
}
