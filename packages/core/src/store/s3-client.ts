import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { S3Client } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { StoreOptions } from './store-options.ts'

/** As many as `uploader check` lets race; everything else needs a few. */
const MAX_SOCKETS = 32

/**
 * The SDK's client with what follows from the endpoint: path style, a region that anything but AWS
 * ignores, and checksums only where asked for (newer SDKs send CRC32 trailers that R2, B2, Ceph
 * and others refuse). Credentials come from the SDK's own chain.
 */
export function createS3Client(options: StoreOptions): S3Client {
  const { endpoint, region = endpoint && 'us-east-1' } = options
  const forcePathStyle = options.forcePathStyle ?? endpoint !== undefined
  const everywhere =
    options.checksums === 'on' || (options.checksums === 'auto' && endpoint === undefined)
  const checksums = everywhere ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED'
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS }
  const client = new S3Client({
    ...(endpoint && { endpoint }),
    ...(region && { region }),
    forcePathStyle,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    // retry.ts is the one policy: two of them multiply.
    maxAttempts: 1,
    // A store or proxy that doesn't know `Expect: 100-continue` would cost a second per part.
    expectContinueHeader: false,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 5_000,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    }),
  })
  signWithOwnDigest(client)
  return client
}

/** Signs with the SHA-256 that is sent as checksum anyway: hashing each part twice halves the speed. */
function signWithOwnDigest(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> }
      const digest = headers['x-amz-checksum-sha256']
      if (digest && !headers['x-amz-content-sha256']) {
        headers['x-amz-content-sha256'] = Buffer.from(digest, 'base64').toString('hex')
      }
      return next(args)
    },
    { step: 'build', name: 'signWithOwnDigest' },
  )
}
