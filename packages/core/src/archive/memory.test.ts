import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const SIZE = 512 * 1024 * 1024

/** Archives a directory and reads the archive, in a process of its own; prints its peak in MiB. */
const SCRIPT = `
import { archiveDirectory } from '${join(import.meta.dirname, 'write-archive.ts')}'
import { unpackSnapshot } from '${join(import.meta.dirname, 'unpack-snapshot.ts')}'
const [from, to] = process.argv.slice(1)
const { unpackedBytes } = await unpackSnapshot(archiveDirectory(from), to)
console.log(JSON.stringify({ unpackedBytes, peak: process.resourceUsage().maxRSS / 1024 }))
`

test('memory stays flat while half a GiB is archived, read and unpacked', async () => {
  const root = await mkdtemp(join(tmpdir(), 'memory-'))
  try {
    const dataMs = join(root, 'data.ms')
    await mkdir(join(dataMs, 'tasks'), { recursive: true })
    await mkdir(join(dataMs, 'auth'))
    await writeFile(join(dataMs, 'VERSION'), '1.50.0')
    await writeFile(join(dataMs, 'auth/data.mdb'), 'auth')
    await writeFile(join(dataMs, 'tasks/data.mdb'), '')
    // A hole to the disk, bytes like any other to the reader.
    await truncate(join(dataMs, 'tasks/data.mdb'), SIZE)
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...['--input-type=module', '--eval', SCRIPT],
      ...[dataMs, join(root, 'unpacked')],
    ])
    const { unpackedBytes, peak } = JSON.parse(stdout) as { unpackedBytes: number; peak: number }
    expect(unpackedBytes).toBe(SIZE + 10)
    expect(peak).toBeLessThan(160)
  } finally {
    await rm(root, { recursive: true })
  }
})
