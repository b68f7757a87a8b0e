// STEP FILE DIRECTORY URL: does one step of publish or restore with all of FILE, and nothing else.
import { hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { PartDigests } from '@meili-ha/core/archive/digests.ts'
import { gunzip } from '@meili-ha/core/archive/gunzip.ts'
import { verifySnapshot } from '@meili-ha/core/archive/verify-snapshot.ts'
import { runLean } from '@meili-ha/core/cli/run-lean.ts'
import { readBody } from '@meili-ha/core/store/s3-body.ts'
import { readParts } from '@meili-ha/core/store/part-reader.ts'
import { readChunks } from '@meili-ha/uploader/read-chunks.ts'
import type { Step } from './step-names.ts'

runLean()
const [step, path, directory, url] = process.argv.slice(2) as [
  Step | 'nothing',
  string,
  string,
  string,
]
const PART = 8 * 1024 * 1024
const RANGE = 4 * 1024 * 1024
await using handle = await open(path)
const { size } = await handle.stat()
const chunks = () => readChunks(handle, size)

async function inParts(act: (part: Buffer) => unknown): Promise<void> {
  const next = readParts({ handle, size })
  const buffer = Buffer.allocUnsafeSlow(PART)
  for (let part = await next(buffer); part; part = await next(buffer)) await act(part.bytes)
}

async function write(): Promise<void> {
  await using file = await open(join(directory, 'out'), 'w')
  for await (const chunk of chunks()) await file.write(chunk)
  if (step === 'sync') await file.sync()
}

const agent = new Agent({ keepAlive: true })

function call(method: string, body?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const into = Buffer.allocUnsafeSlow(method === 'GET' ? RANGE : 0)
    const sent = request(url, { method, agent }, (answer) => {
      readBody(answer, into.length, into, new AbortController().signal).then(
        () => resolve(),
        reject,
      )
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

switch (step) {
  case 'nothing':
    break
  case 'read':
    for await (const _ of chunks());
    break
  case 'sha256':
    await inParts((bytes) => hash('sha256', bytes))
    break
  case 'digests': {
    const digests = new PartDigests(PART)
    for await (const chunk of chunks()) digests.update(chunk)
    break
  }
  case 'gunzip':
    for await (const _ of gunzip(chunks()));
    break
  case 'verify':
    await verifySnapshot(chunks())
    break
  case 'send':
    await inParts((bytes) => call('PUT', bytes))
    break
  case 'receive':
    for (let got = 0; got < size; got += RANGE) await call('GET')
    break
  case 'write':
  case 'sync':
    await write()
}
agent.destroy()
