import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { freePort } from './free-port.ts'

/** As long as its standard input is open, it keeps what it got: 2,000 ports of 16,000. */
const TAKER = `
  import { freePort } from '${import.meta.resolve('./free-port.ts')}'
  const ports = []
  for (let i = 0; i < 2000; i++) ports.push(await freePort())
  console.log(JSON.stringify(ports))
  process.stdin.resume()
`

test('no other process gets a port, though nobody listens on it', async () => {
  const other = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', TAKER])
  const mine: number[] = []
  const [theirs] = await Promise.all([firstLine(other.child.stdout!), take(mine, 2_000)])
  other.child.stdin!.end()
  await other
  const all = [...mine, ...(JSON.parse(theirs) as number[])]
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

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  return text
}
