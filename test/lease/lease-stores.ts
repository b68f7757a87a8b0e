import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { storeOptionsFromEnv } from '@meili-ha/core/store/store-options.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { type S3Server, startS3Server } from '../s3-server/s3-server.ts'
import { storeOn } from '../s3-server/s3-server-store.ts'

/** Stores that can hold a lease; `open` gives an empty one that ends with the stack. */
export interface LeaseStore {
  name: string
  open(stack: AsyncDisposableStack): Promise<{ store: Store; server?: S3Server }>
}

export function leaseStores(): LeaseStore[] {
  const stores: LeaseStore[] = [
    {
      name: 'file',
      open: async (stack) => {
        const dir = stack.use(await tempDir())
        return { store: openStore(pathToFileURL(join(dir.path, 'store')).href) }
      },
    },
    {
      name: 's3 in this process',
      open: async (stack) => {
        const server = stack.use(await startS3Server())
        const store = storeOn(server)
        stack.defer(() => store.close())
        return { store, server }
      },
    },
  ]
  const { S3_ENDPOINT, S3_BUCKET } = process.env
  if (!S3_ENDPOINT || !S3_BUCKET) {
    console.warn('SKIPPED: a lease on a real endpoint: set S3_ENDPOINT, S3_BUCKET and AWS_*')
    return stores
  }
  const options = storeOptionsFromEnv({ ...process.env, AWS_ENDPOINT_URL_S3: S3_ENDPOINT })
  const real: LeaseStore = {
    name: `s3 at ${S3_ENDPOINT}`,
    open: (stack) => {
      const store = openStore(`s3://${S3_BUCKET}/lease-${randomUUID()}`, options)
      stack.defer(() => store.close())
      return Promise.resolve({ store })
    },
  }
  return [...stores, real]
}
