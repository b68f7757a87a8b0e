import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { afterAll } from 'vitest'
import { startS3Server } from '../s3-server/s3-server.ts'
import { storeOn } from '../s3-server/s3-server-store.ts'
import { describeStore } from './store-suite.ts'

const ends: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const end of ends) await end()
})

describeStore('file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'meili-ha-store-'))
  ends.push(() => rm(directory, { recursive: true }))
  return openStore(pathToFileURL(join(directory, 'not', 'there yet')).href)
})

describeStore('s3 in this process', async () => {
  const server = await startS3Server({ pageSize: 3 })
  ends.push(() => server.close())
  return storeOn(server)
})

describeStore('s3 without checksums', async () => {
  const server = await startS3Server({ checksums: false })
  ends.push(() => server.close())
  return storeOn(server)
})
