import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { UploaderFlags } from '@meili-ha/uploader/commands/uploader-flags.ts'
import { Housekeeping } from '@meili-ha/uploader/housekeeping.ts'
import { FilePublisher } from '@meili-ha/uploader/publish-file.ts'
import { wire } from '@meili-ha/uploader/wire.ts'
import { bigSnapshot } from '../generate/big-snapshot.ts'
import { startProgram } from '../harness/process.ts'
import { tempDir, type TempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { startS3Server, type S3Server } from '../s3-server/s3-server.ts'
import { cliOf, FIXTURES } from '../uploader/programs.ts'
import { dryHost, dryRun } from './dry-run.ts'
import { reference, tableAfter } from './markdown.ts'

/** What S3 bills as the dear kind: PUT, COPY, POST, LIST. DELETE and AbortMultipartUpload are free. */
const DEAR = /^(Put|UploadPart|Create|Complete|List)/
const CHEAP = /^(Get|Head)/

let s3: S3Server
let dir: TempDir
const at = (name: string) => join(dir.path, name)

beforeAll(async () => {
  s3 = await startS3Server()
  dir = await tempDir()
  await bigSnapshot(at('100MB'), 100_000_000)
  // The first one also makes cluster.json.
  await requestsOf('uploader', ['publish', join(FIXTURES, 'catalogue.snapshot')])
})

afterAll(async () => {
  await s3[Symbol.asyncDispose]()
  await dir[Symbol.asyncDispose]()
})

const awsEnv = () => ({
  AWS_ENDPOINT_URL_S3: s3.endpoint,
  AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
})

const storeFlag = () => ['--store', `s3://${s3.bucketName}/search`]

const start = (program: 'uploader' | 'fetcher', args: readonly string[]) =>
  startProgram(cliOf(program), [...args, ...storeFlag()], { env: awsEnv() })

/** What a command that ends asks for. */
async function requestsOf(program: 'uploader' | 'fetcher', args: readonly string[]) {
  s3.requests.length = 0
  await using child = start(program, args)
  expect((await child.exited).code, child.output()).toBe(0)
  return counted()
}

function counted(): number[] {
  return [DEAR, CHEAP].map((kind) => s3.requests.filter(({ op }) => kind.test(op)).length)
}

/** What the reference says that it costs. */
function told(what: RegExp): number[] {
  const row = tableAfter(reference(), 'costs').find(([name = '']) => what.test(name))
  return (row ?? []).slice(1).map(Number)
}

test('publishing and restoring cost the requests that the reference tells', async () => {
  const second = ['publish', join(FIXTURES, 'backlog.snapshot')]
  expect(await requestsOf('uploader', second)).toEqual(told(/^publish 1.5 MB as the second/))
  expect(await requestsOf('uploader', ['publish', at('100MB')])).toEqual(
    told(/^publish 100 MB as the third/),
  )
  const restore = ['restore', '--to', at('restored')]
  expect(await requestsOf('fetcher', restore)).toEqual(told(/^restore 100 MB, of 3/))
})

test('a standby that follows asks once per poll while nothing is new', async () => {
  await mkdir(at('ha'))
  s3.requests.length = 0
  await using follower = start('fetcher', [
    ...['follow', '--lease', 'none', '--ha-dir', at('ha'), '--data-dir', at('standby')],
    ...['--poll', '200ms', '--listen', 'off'],
  ])
  const polls = 10
  await follower.waitFor(/fetcher\.started/)
  await until('it has read the manifests once', () => s3.count('ListObjectsV2') > 1)
  s3.requests.length = 0
  await until('it has polled', () => s3.count('ListObjectsV2') >= polls)
  const [dear = 0, cheap = 0] = told(/^follow/)
  expect(counted()).toEqual([dear * s3.count('ListObjectsV2'), cheap])
})

test('looking after a store with nothing to remove costs the LISTs that the reference tells', async () => {
  for (const [name, value] of Object.entries(awsEnv())) vi.stubEnv(name, value)
  const args = ['run', ...storeFlag(), '--log-level', 'silent']
  const flags = (await dryRun('uploader', args)).ran?.options as unknown as UploaderFlags
  const parts = await wire(dryHost([]), flags)
  try {
    const publisher = new FilePublisher(parts, flags.member, async () => undefined)
    await publisher.look()
    s3.requests.length = 0
    await new Housekeeping(parts, flags, publisher).tidy()
    const [, lists] =
      /looks after the\s+store every ten\s+minutes:\s+(\d+) LISTs/.exec(reference()) ?? []
    expect(counted()).toEqual([Number(lists), 0])
  } finally {
    parts.close()
    vi.unstubAllEnvs()
  }
})

test('the monthly price of polling is the product that the reference tells', () => {
  const [, price = ''] = /USD (0\.\d+) per 1,000 PUT/.exec(reference()) ?? []
  const [, month = ''] = /120 LISTs an hour: USD (\d\.\d\d) a\s+month/.exec(reference()) ?? []
  expect(((120 * 24 * 30 * Number(price)) / 1000).toFixed(2)).toBe(month)
})
