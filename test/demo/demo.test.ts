import { readdirSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { startProgram, type RunningProcess } from '../harness/process.ts'
import { tempDir, type TempDir } from '../harness/temp-dir.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server, type S3Server } from '../s3-server/s3-server.ts'
import { STEPS } from './told-events.ts'

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))

function demo(dir: TempDir, args: string[], env: Record<string, string> = {}): RunningProcess {
  const real = { MEILISEARCH_BIN: process.env['MEILISEARCH_BIN'] }
  return startProgram(MAIN, args, { env: { ...real, ...env, TMPDIR: dir.path } })
}

/** Processes that were started with this directory as theirs for temporary files. */
function processesOf(dir: TempDir): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(dir.path)
    } catch {
      return false
    }
  })
}

async function expectNothingLeft(dir: TempDir): Promise<void> {
  expect(processesOf(dir)).toEqual([])
  expect(await readdir(dir.path)).toEqual([])
}

async function expectEmptied(server: S3Server, store: string): Promise<void> {
  expect(server.count('PutObject')).toBeGreaterThan(0)
  Object.assign(process.env, environmentOf(server))
  expect(await openStore(store).list('')).toEqual([])
}

// About 10 s: two members start.
test('SIGTERM in the middle leaves no process, no file and no object', async () => {
  await using dir = await tempDir()
  await using server = await startS3Server()
  const store = `s3://${server.bucketName}/given`
  const env = environmentOf(server)
  await using running = demo(dir, ['--kill', 'member', '--store', store], env)
  await running.waitFor(/- m1 leads/, 45_000)
  expect(processesOf(dir).length).toBeGreaterThan(8)
  expect(await running.kill('SIGTERM')).toEqual({ code: 143, signal: null })
  await expectNothingLeft(dir)
  await expectEmptied(server, store)
})

test('what the programs would refuse is refused at once', async () => {
  await using dir = await tempDir()
  for (const [wrong, said] of [
    [['--lease-duration', '1s'], /must be 5s to 5m/],
    [['--documents', 'many'], /whole number/],
  ] as const) {
    await using running = demo(dir, ['--kill', 'process', ...wrong])
    expect((await running.exited).code).toBe(1)
    expect(running.stderr()).toMatch(said)
  }
  await expectNothingLeft(dir)
})

// About 5 s: an endpoint that refuses is asked a few times.
test('a bucket that can not be used is said before anything starts', async () => {
  await using dir = await tempDir()
  await using server = await startS3Server()
  const store = `s3://${server.bucketName}/given`
  for (const [wrong, said] of [
    [{ AWS_SECRET_ACCESS_KEY: 'wrong' }, /MEILI_HA_STORE_DENIED[^]*hint: /],
    [{ AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' }, /MEILI_HA_STORE_UNREACHABLE[^]*hint: /],
  ] as const) {
    const env = { ...environmentOf(server), ...wrong }
    await using running = demo(dir, ['--kill', 'switchover', '--store', store], env)
    expect(await running.exited).toEqual({ code: 1, signal: null })
    expect(running.stderr()).toMatch(said)
    expect(running.stdout()).not.toMatch(/leads/)
    await expectNothingLeft(dir)
  }
})

// About 25 s: a Meilisearch is killed and comes back.
test('--keep shows what can be done with the running cluster, until Ctrl-C', async () => {
  await using dir = await tempDir()
  await using running = demo(dir, ['--kill', 'process', '--documents', '100', '--keep'])
  await running.waitFor(/It goes on until Ctrl-C/, 80_000)
  const router = /^router: (http:\S+)$/m.exec(running.stdout())?.[1]
  expect((await fetch(`${router}/health`)).status).toBe(200)
  const status = /lease-keeper (status .*)$/m.exec(running.stdout())?.[1]?.split(' ') ?? []
  const keeper = fileURLToPath(new URL('../../packages/lease-keeper/src/cli.ts', import.meta.url))
  await using asked = startProgram(keeper, status)
  expect(await asked.exited).toEqual({ code: 0, signal: null })
  expect(asked.stdout()).toMatch(/m1/)
  expect(await running.kill('SIGINT')).toEqual({ code: 0, signal: null })
  await expectNothingLeft(dir)
}, 120_000)

// About 35 s: a lease of 5 s runs out.
test('a partition, with a Kubernetes lease and a given bucket, is shown step by step', async () => {
  await using dir = await tempDir()
  await using server = await startS3Server()
  const env = {
    ...environmentOf(server),
    KUBEBUILDER_ASSETS: process.env['KUBEBUILDER_ASSETS'] ?? '',
  }
  const store = `s3://${server.bucketName}/given`
  const args = ['--kill', 'partition', '--lease', 'kubernetes', '--store', store]
  await using running = demo(dir, [...args, '--documents', '100'], env)
  expect(await running.exited, running.output()).toEqual({ code: 0, signal: null })
  const rows = Object.values(STEPS).map((name) => new RegExp(`^${name} +[+-][0-9.]+ m?s `, 'm'))
  // Searches go on while a standby serves them.
  for (const row of rows.filter((_, at) => Object.keys(STEPS)[at] !== 'firstSearch')) {
    expect(running.stdout()).toMatch(row)
  }
  expect(running.stdout()).toMatch(/^first search again /m)
  expect(running.stdout()).toMatch(/^writes acknowledged: \d+, of them lost: \d+$/m)
  expect(running.stdout()).toContain('At no instant two members led.')
  await expectNothingLeft(dir)
  await expectEmptied(server, store)
}, 120_000)
