import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort } from '../harness/free-port.ts'
import { startProgram } from '../harness/process.ts'
import { startProxy } from '../harness/proxy.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { cliOf } from '../uploader/programs.ts'

/** A keeper whose lease is in an S3 store, with what it needs to be asked, and its way to the store. */
async function startKeeper() {
  await using stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const server = stack.use(await startS3Server())
  const line = stack.use(await startProxy(Number(new URL(server.endpoint).port)))
  line.partition('refuse')
  await mkdir(join(dir.path, 'ha'))
  const port = await freePort()
  const args = [
    ...['run', '--cluster', 'test', '--member', 'm1', '--ha-dir', join(dir.path, 'ha')],
    ...['--lease', 'store', '--store', `s3://${server.bucketName}/x`],
    ...['--listen', `127.0.0.1:${port}`],
  ]
  const env = {
    ...environmentOf(server),
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${line.port}`,
  }
  const keeper = stack.use(startProgram(cliOf('lease-keeper'), args, { env }))
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status
  const owned = stack.move()
  return { line, keeper, ask, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

test('a keeper whose store is away at its start is well, and goes on once the store answers', async () => {
  await using site = await startKeeper()
  await site.keeper.waitFor(/lease\.unreachable/, 30_000)
  // A liveness probe would have it killed, again and again, and its member lead that much later.
  expect(await site.ask('/healthz')).toBe(200)
  for (const path of ['/readyz', '/primary', '/read-only']) expect(await site.ask(path)).toBe(503)
  site.line.heal()
  await site.keeper.waitFor(/keeper\.started/, 30_000)
  await until('it says how it is', async () => (await site.ask('/status')) === 200)
})
