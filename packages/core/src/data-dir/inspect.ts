import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isVersion } from '../archive/version.ts'
import { isError, MeiliHaError } from '../errors.ts'
import { readLineage, type Lineage } from './lineage.ts'

/**
 * What lies at a `data.ms`.
 *
 * - `absent`: no such name. `empty`: no entries, or nothing but the `lost+found` of a fresh volume,
 *   which is no database entry but makes the directory non-empty for Meilisearch.
 * - `partial`: some of it. Meilisearch starts on such a directory, answers `available` and holds no
 *   documents; so nobody here ever does.
 * - `whole`: VERSION, tasks and keys are there. `lineage` undefined = not ours yet; `damaged` = it
 *   has one that can't be read, so what it holds is anybody's guess.
 */
export type DataDirectory =
  | { state: 'absent' }
  | { state: 'empty'; lostAndFound: boolean }
  | { state: 'partial'; missing: readonly string[]; lineage: Lineage | 'damaged' | undefined }
  | { state: 'whole'; version: string; lineage: Lineage | 'damaged' | undefined }

/** Without these Meilisearch would start as if it were new. */
const ESSENTIAL = ['tasks/data.mdb', 'auth/data.mdb'] as const

/**
 * Looks, and changes nothing.
 * @throws DATA_DIR_PERMISSION when it may not look; DATA_DIR_UNKNOWN when it is no directory.
 */
export async function inspectDataDirectory(path: string): Promise<DataDirectory> {
  try {
    const stat = await lstat(path).catch(ignoreAbsent)
    if (stat === undefined) return { state: 'absent' }
    // A link would be renamed away from what it points to, and the download land on another volume.
    if (!stat.isDirectory()) {
      throw new MeiliHaError('DATA_DIR_UNKNOWN', `${path} is not a directory of its own`, {
        hint: 'A link or file stands there: mount the volume at --data-dir, or set MEILI_DB_PATH.',
      })
    }
    const entries = await readdir(path)
    const own = entries.filter((name) => name !== 'lost+found')
    if (own.length === 0) return { state: 'empty', lostAndFound: entries.length > 0 }
    return await inspectContent(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EACCES' && code !== 'EPERM') throw error
    throw new MeiliHaError('DATA_DIR_PERMISSION', `may not read ${path}`, { cause: error })
  }
}

async function inspectContent(path: string): Promise<DataDirectory> {
  const missing: string[] = []
  const version = (await readFile(join(path, 'VERSION'), 'utf8').catch(ignoreAbsent))?.trim()
  // A VERSION torn by a crash is as good as none.
  if (version === undefined || !isVersion(version)) missing.push('VERSION')
  for (const file of ESSENTIAL) {
    const stat = await lstat(join(path, file)).catch(ignoreAbsent)
    if (!stat?.isFile()) missing.push(file)
  }
  const lineage = await readLineage(path).catch((error: unknown) => {
    if (isError(error, 'DATA_DIR_UNKNOWN')) return 'damaged' as const
    throw error
  })
  if (missing.length > 0) return { state: 'partial', missing, lineage }
  return { state: 'whole', version: version as string, lineage }
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw error
}
