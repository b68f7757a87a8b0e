import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { syncDirectory } from '@meili-ha/core/store/file-durable.ts'

/** Where the script lies: beside the bundle in an image, in `docker/` of a checkout. */
const PLACES = [
  new URL('./guard.sh', import.meta.url),
  new URL('../../../docker/guard.sh', import.meta.url),
]

/**
 * Puts guard.sh into a directory that Meilisearch's container shares, executable, by rename: a shell
 * that is reading the old one goes on with it.
 * @returns its path
 */
export async function installGuard(to: string): Promise<string> {
  const script = await readScript()
  const path = join(to, 'guard.sh')
  const temporary = join(to, '.guard.sh.new')
  try {
    await mkdir(to, { recursive: true })
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(script)
      await file.sync()
    } finally {
      await file.close()
    }
    await chmod(temporary, 0o755)
    await rename(temporary, path)
    await syncDirectory(to)
  } catch (cause) {
    throw new MeiliHaError('DATA_DIR_PERMISSION', `can't write ${path}`, {
      cause,
      hint: 'Mount the same writable volume here and in the container of Meilisearch.',
    })
  }
  return path
}

async function readScript(): Promise<Buffer> {
  for (const place of PLACES) {
    try {
      return await readFile(place)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new MeiliHaError('INTERNAL', 'guard.sh is missing from this installation')
}
