import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { freePort } from '../harness/free-port.ts'
import { startProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { findTool } from './find-tool.ts'

/** An S3 server on loopback. */
export interface Gateway extends AsyncDisposable {
  name: string
  /** In which every S3 client finds it. */
  env: Record<string, string>
  endpoint: string
  bucket: string
  /** Removes what was put into it, which would fill the disk. */
  empty(): Promise<void>
}

const BUCKET = 'bench'
const [ACCESS_KEY, SECRET_KEY] = ['bench', 'bench-secret']

/**
 * A real server that keeps its objects below `directory`: versitygw, else MinIO, or the one that
 * BENCH_SERVER names. Without one, that of the tests in this very process, which is no measure for time.
 */
export async function startGateway(directory: string): Promise<Gateway> {
  const wanted = process.env['BENCH_SERVER']
  const path = join(directory, 'gateway')
  await mkdir(path)
  for (const name of ['versitygw', 'minio']) {
    const tool = findTool(name)
    if (tool === undefined || (wanted !== undefined && wanted !== name)) continue
    return startServer(name, tool, path)
  }
  const server = await startS3Server()
  return {
    name: 'in-process',
    endpoint: server.endpoint,
    bucket: server.bucketName,
    env: { ...environmentOf(server), AWS_ENDPOINT_URL: server.endpoint },
    empty: async () => {},
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function startServer(name: string, tool: string, directory: string): Promise<Gateway> {
  const address = `127.0.0.1:${await freePort()}`
  const endpoint = `http://${address}`
  const command =
    name === 'minio'
      ? [tool, 'server', directory, '--address', address, '--quiet']
      : [tool, '--port', address, 'posix', directory]
  const server = startProcess({
    command,
    env: {
      ...{ ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
      ...{ MINIO_ROOT_USER: ACCESS_KEY, MINIO_ROOT_PASSWORD: SECRET_KEY },
    },
  })
  const client = new S3Client({
    ...{ endpoint, region: 'us-east-1', forcePathStyle: true },
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY },
  })
  await until(`${name} answers`, () => fetch(endpoint).catch(() => undefined), {
    timeoutMs: 30_000,
  })
  const createBucket = () => client.send(new CreateBucketCommand({ Bucket: BUCKET }))
  await until(`${name} has a bucket`, createBucket, { timeoutMs: 30_000 })
  client.destroy()
  return {
    name,
    endpoint,
    bucket: BUCKET,
    empty: async () => {
      // What the server itself keeps of a bucket are attributes of its directory, which must stay.
      const bucket = join(directory, BUCKET)
      for (const entry of await readdir(bucket)) {
        // A peer that was ended leaves a server that still tidies up after it.
        await rm(join(bucket, entry), {
          recursive: true,
          force: true,
          maxRetries: 50,
          retryDelay: 100,
        })
      }
    },
    env: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: SECRET_KEY,
      AWS_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
