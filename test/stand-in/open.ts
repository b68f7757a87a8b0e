import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Database } from './database.ts'
import { StartError } from './start-error.ts'
import type { Options } from './options.ts'

const GUIDE = 'https://www.meilisearch.com/docs/learn/update_and_migration/updating.'

/** Imports or opens the database by Meilisearch's rules, hazards included. @throws StartError */
export async function openDatabase(
  options: Options,
  engine: string,
  entryMs: number,
): Promise<Database> {
  const { dbPath, importSnapshot } = options
  // A `lost+found` counts too.
  const empty = !existsSync(dbPath) || readdirSync(dbPath).length === 0
  if (importSnapshot !== undefined) {
    const found = existsSync(importSnapshot)
    if (empty && found) return importDatabase(importSnapshot, dbPath, engine, entryMs)
    if (!empty && !options.ignoreSnapshotIfDbExists) {
      const path = JSON.stringify(realpathSync(dbPath))
      throw new StartError(`database already exists at ${path}, try to delete it or rename it`)
    }
    if (!found && !options.ignoreMissingSnapshot) {
      throw new StartError(`snapshot doesn't exist at ${importSnapshot}`)
    }
  }
  if (!empty) checkVersionFile(dbPath, engine)
  return openUnchecked(dbPath, engine)
}

/** Straight into the database's own place; what fails takes the whole directory with it. */
async function importDatabase(
  snapshot: string,
  dbPath: string,
  engine: string,
  entryMs: number,
): Promise<Database> {
  // Loaded only here, so that an ordinary start is quick.
  const { unpack } = await import('./unpack.ts')
  try {
    await unpack(snapshot, dbPath, entryMs)
    // The snapshot's VERSION isn't looked at: an older one is upgraded without a flag.
    return openUnchecked(dbPath, engine)
  } catch (error) {
    rmSync(dbPath, { recursive: true, force: true })
    throw error
  }
}

function checkVersionFile(dbPath: string, engine: string): void {
  const path = join(dbPath, 'VERSION')
  if (!existsSync(path)) {
    throw new StartError(
      `Meilisearch (v${engine}) failed to infer the version of the database.\n` +
        `        To update Meilisearch please follow our guide on ${GUIDE}`,
    )
  }
  const version = readFileSync(path, 'utf8')
  const parts = version.split('.').length
  if (parts !== 3) {
    throw new StartError(
      'Version file is corrupted and thus Meilisearch is unable to determine the version of the ' +
        `database. The version contains ${parts} parts instead of 3 (major, minor and patch)`,
    )
  }
  if (version === engine) return
  throw new StartError(
    `Your database version (${version}) is incompatible with your current engine version (${engine}).\n` +
      `To migrate data between Meilisearch versions, please follow our guide on ${GUIDE}`,
  )
}

function openUnchecked(dbPath: string, engine: string): Database {
  mkdirSync(dbPath, { recursive: true })
  const database = new Database(dbPath)
  const internal = database.internalVersion
  if (internal === undefined) database.saveVersion(engine)
  else if (isNewer(internal, engine)) {
    throw new StartError(
      `Database version ${internal} is higher than the Meilisearch version ${engine}. Downgrade is not supported`,
    )
  }
  // As the real one does at every start: by rename, so that one that is killed leaves it whole.
  const temporary = join(dbPath, `.tmp${process.pid}`)
  writeFileSync(temporary, engine, { mode: 0o600 })
  renameSync(temporary, join(dbPath, 'VERSION'))
  return database
}

function isNewer(a: string, b: string): boolean {
  return a.localeCompare(b, 'en', { numeric: true }) > 0
}
