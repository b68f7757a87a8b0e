import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../harness/free-port.ts'
import { startProcess } from '../harness/process.ts'
import { until } from '../harness/until.ts'
import { findTool } from './find-tool.ts'

export interface Gateway extends AsyncDisposable {
  /** In which every S3 client finds it. */
  env: Record<string, string>
  endpoint: string
  bucket: string
  /** Removes what was put into it, which would fill the disk. */
  empty(): Promise<void>
}

/** A real S3 server on loopback that keeps its objects below `directory`; undefined without versitygw. */
export async function startGateway(directory: string): Promise<Gateway | undefined> {
  const versitygw = findTool('versitygw')
  if (versitygw === undefined) return undefined
  const bucket = 'bench'
  await mkdir(join(directory, bucket), { recursive: true })
  const [accessKey, secretKey] = ['bench', 'bench-secret']
  const address = `127.0.0.1:${await freePort()}`
  const gateway = startProcess({
    command: [versitygw, '--port', address, 'posix', directory],
    env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
  })
  const endpoint = `http://${address}`
  await until('versitygw answers', () => fetch(endpoint).catch(() => undefined))
  return {
    endpoint,
    bucket,
    empty: async () => {
      await rm(join(directory, bucket), { recursive: true })
      await mkdir(join(directory, bucket))
    },
    env: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: accessKey,
      AWS_SECRET_ACCESS_KEY: secretKey,
      AWS_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  }
}
