import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes of all files below a directory, as `ls -l` adds them up; 0 when it isn't there. */
export async function directorySize(directory: string): Promise<number> {
  const options = { recursive: true, withFileTypes: true } as const
  const entries = await readdir(directory, options).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (file) => (await lstat(join(file.parentPath, file.name))).size),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
