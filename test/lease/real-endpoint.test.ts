import { realLeaseStore } from './lease-stores.ts'
import { describeRace } from './race-suite.ts'
import { describeLease } from './store-lease-suite.ts'

const { S3_ENDPOINT, S3_BUCKET } = process.env
const skip = !S3_ENDPOINT || !S3_BUCKET
if (skip) console.warn('SKIPPED: a lease on a real endpoint: set S3_ENDPOINT, S3_BUCKET and AWS_*')

const store = realLeaseStore(S3_ENDPOINT, S3_BUCKET)
describeLease(store, { skip })
describeRace(store, { skip })
