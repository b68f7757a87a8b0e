import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import { syncDirectory } from '@meili-ha/core/store/file-durable.ts'

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

declare const MEILI_HA_GUARD: string | undefined

/** The bundler writes it in; a checkout reads it. */
async function readScript(): Promise<string | Buffer> {
  if (typeof MEILI_HA_GUARD === 'string') return MEILI_HA_GUARD
  return readFile(new URL('../../../docker/guard.sh', import.meta.url))
}
