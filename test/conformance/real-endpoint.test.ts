import { randomUUID } from 'node:crypto'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { storeOptionsFromEnv } from '@meili-ha/core/store/store-options.ts'
import { describeStore } from './store-suite.ts'

const { S3_ENDPOINT, S3_BUCKET } = process.env
const skip = !S3_ENDPOINT || !S3_BUCKET
if (skip) {
  console.warn('SKIPPED: conformance of a real endpoint: set S3_ENDPOINT, S3_BUCKET and AWS_*')
}

describeStore(
  `s3 at ${S3_ENDPOINT}`,
  async () => {
    const env = { ...process.env, AWS_ENDPOINT_URL_S3: S3_ENDPOINT }
    return openStore(`s3://${S3_BUCKET}/conformance-${randomUUID()}`, storeOptionsFromEnv(env))
  },
  { skip },
)
