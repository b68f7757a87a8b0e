// Uploads FILE to the store URL as the uploader does, hashes included, and doesn't verify it.
import { open } from 'node:fs/promises'
import { runLean } from '@meili-ha/core/cli/run-lean.ts'
import { openStore } from '@meili-ha/core/store/open-store.ts'
import { partSizeFor } from '@meili-ha/core/store/part-size.ts'

runLean()
const [path, url] = process.argv.slice(2) as [string, string]
const store = openStore(url, { endpoint: process.env['AWS_ENDPOINT_URL_S3'] })
const handle = await open(path)
const { size } = await handle.stat()
await store.putFile('file', { handle, size }, { partSize: partSizeFor(size) })
await handle.close()
store.close()
