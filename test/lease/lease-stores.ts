import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { storeOptionsFromEnv } from '@meili-ha/core/store/store-options.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { storeOn } from '../s3-server/s3-server-store.ts'

/** Stores that can hold a lease; `open` gives an empty one that ends with the stack. */
export interface LeaseStore {
  name: string
  open: (stack: AsyncDisposableStack) => Promise<Store>
}

export function leaseStores(): LeaseStore[] {
  return [
    {
      name: 'file',
      open: async (stack) => {
        const dir = stack.use(await tempDir())
        return openStore(pathToFileURL(join(dir.path, 'store')).href)
      },
    },
    {
      name: 's3 in this process',
      open: async (stack) => {
        const server = stack.use(await startS3Server())
        const store = storeOn(server)
        stack.defer(() => store.close())
        return store
      },
    },
  ]
}

/** Any endpoint given by the environment; in a file of its own, since `storeOn` sets other credentials. */
export function realLeaseStore(
  endpoint: string | undefined,
  bucket: string | undefined,
): LeaseStore {
  const options = storeOptionsFromEnv({ ...process.env, AWS_ENDPOINT_URL_S3: endpoint })
  return {
    name: `s3 at ${endpoint}`,
    open: (stack) => {
      const store = openStore(`s3://${bucket}/lease-${randomUUID()}`, options)
      stack.defer(() => store.close())
      return Promise.resolve(store)
    },
  }
}
