// Reads FILE as the uploader verifies it, and does nothing else.
import { open } from 'node:fs/promises'
import { verifySnapshot } from '@meili-ha/core/archive/verify-snapshot.ts'
import { runLean } from '@meili-ha/core/cli/run-lean.ts'

runLean()
const file = await open(process.argv[2] as string)
await verifySnapshot(file.createReadStream({ highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>)
