import { expect, test } from 'vitest'
import { freePort } from '../harness/free-port.ts'
import { startProgram } from '../harness/process.ts'
import { startProxy } from '../harness/proxy.ts'
import { tempDir } from '../harness/temp-dir.ts'
import { until } from '../harness/until.ts'
import { environmentOf } from '../s3-server/s3-server-store.ts'
import { startS3Server } from '../s3-server/s3-server.ts'
import { cliOf } from '../uploader/programs.ts'

test('a keeper whose store is away at its start is well, and goes on once the store answers', async () => {
  await using dir = await tempDir()
  await using server = await startS3Server()
  await using line = await startProxy(Number(new URL(server.endpoint).port))
  line.partition('refuse')
  const port = await freePort()
  const args = [
    ...['run', '--cluster', 'test', '--member', 'm1', '--ha-dir', dir.path],
    ...['--lease', 'store', '--store', `s3://${server.bucketName}/x`],
    ...['--listen', `127.0.0.1:${port}`],
  ]
  const env = {
    ...environmentOf(server),
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${line.port}`,
  }
  await using keeper = startProgram(cliOf('lease-keeper'), args, { env })
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status

  await keeper.waitFor(/lease\.unreachable/, 30_000)
  // A liveness probe would have it killed, again and again, and its member lead that much later.
  expect(await ask('/healthz')).toBe(200)
  for (const path of ['/readyz', '/primary', '/read-only']) expect(await ask(path)).toBe(503)
  line.heal()
  await keeper.waitFor(/keeper\.started/, 30_000)
  await until('it says how it is', async () => (await ask('/status')) === 200)
})
