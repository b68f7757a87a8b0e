import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { freePort } from './free-port.ts'
import { startProcess } from './process.ts'

/** As long as it runs it keeps what it got: 2,000 ports of 16,000. */
const TAKER = `
  import { freePort } from '${import.meta.resolve('./free-port.ts')}'
  const ports = []
  for (let i = 0; i < 2000; i++) ports.push(await freePort())
  console.log(JSON.stringify(ports))
  setInterval(() => {}, 1000)
`

test('no other process gets a port, though nobody listens on it', async () => {
  const command = [process.execPath, '--input-type=module', '--eval', TAKER]
  await using other = startProcess({ command })
  const mine: number[] = []
  const [theirs] = await Promise.all([other.waitFor(/^(\[.*\])$/m), take(mine, 2_000)])
  const all = [...mine, ...(JSON.parse(theirs[1]!) as number[])]
  expect(new Set(all).size).toBe(4_000)
})

test('a port is free to listen on', async () => {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    void freePort().then((port) => server.listen(port, '127.0.0.1', resolve), reject)
  })
  server.close()
})

async function take(ports: number[], count: number): Promise<void> {
  while (ports.length < count) ports.push(await freePort())
}
