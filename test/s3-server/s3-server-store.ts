import { REAL_CLOCK, type StoreClock } from '@meili-ha/core/store/deadline.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import type { StoreOptionsInput } from '@meili-ha/core/store/store-options.ts'
import type { Store } from '@meili-ha/core/store/store.ts'
import type { S3Server } from './s3-server.ts'

/** The environment in which a program finds the server; credentials come from it alone. */
export function environmentOf(server: S3Server): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    AWS_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}

/** A store on the server. Puts the credentials where the SDK's chain looks: into process.env. */
export function storeOn(
  server: S3Server,
  options: StoreOptionsInput & { prefix?: string } = {},
  clock: StoreClock = REAL_CLOCK,
): Store {
  Object.assign(process.env, environmentOf(server))
  const { prefix = 'some/prefix', ...rest } = options
  const url = `s3://${server.bucketName}/${prefix}`
  return openStore(url, { endpoint: server.endpoint, ...rest }, clock)
}
