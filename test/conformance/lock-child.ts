// A process that takes the lock of a key of a file:// store and keeps it: DIRECTORY KEY.
import { mkdir } from 'node:fs/promises'
import { REAL_CLOCK } from '@meili-ha/core/store/deadline.ts'
import { withFileLock } from '@meili-ha/core/store/file-lock.ts'
import { FileNames } from '@meili-ha/core/store/file-names.ts'

const [directory, key] = process.argv.slice(2) as [string, string]
const names = new FileNames(directory)
await mkdir(names.locks, { recursive: true })
const options = { timeoutMs: 0, clock: REAL_CLOCK, signal: undefined }
await withFileLock(names.lock(key), options, () => {
  console.log('held')
  return new Promise((resolve) => setTimeout(resolve, 600_000))
})
