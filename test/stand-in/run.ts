import { once } from 'node:events'
import { addDefaultKeys } from './keys.ts'
import { readKnobs } from './knobs.ts'
import { openDatabase } from './open.ts'
import { parseOptions, UsageError, type Options } from './options.ts'
import { allRoutes } from './routes.ts'
import { Scheduler } from './scheduler.ts'
import { createApi } from './server.ts'
import { writeSnapshot } from './snapshot.ts'

const knobs = readKnobs(process.env)

/** Does what the command line says; returns once it listens. */
export async function run(): Promise<void> {
  if (knobs.ignoreSigterm) process.on('SIGTERM', () => {})
  process.on('SIGINT', () => process.exit(130))
  if (process.argv.includes('--version')) {
    console.log(`meilisearch ${knobs.version}`)
    return
  }
  try {
    await start(parseOptions(process.argv.slice(2), process.env))
  } catch (error) {
    const usage = error instanceof UsageError
    console.error(usage ? error.message : `Error: ${(error as Error).message}`)
    process.exit(usage ? 2 : 1)
  }
}

async function start(options: Options): Promise<void> {
  if (knobs.crashAfterMs !== undefined) setTimeout(() => process.exit(1), knobs.crashAfterMs)
  if (options.env === 'production' && !options.masterKey) {
    throw new Error(
      'You must provide a master key to secure your instance in a production environment.',
    )
  }
  const database = await openDatabase(options, knobs.version, knobs.importEntryMs)
  if (database.foreign)
    console.error('stand-in: a real Meilisearch wrote this; nothing can be read')
  if (options.masterKey && database.keys.size === 0) {
    addDefaultKeys(database, new Date().toISOString())
  }
  const { masterKey, snapshotDir, s3Snapshots, scheduleSnapshot } = options
  const scheduler = new Scheduler({
    database,
    engine: knobs.version,
    batchMs: knobs.batchMs,
    s3Snapshots,
    snapshot: (tasks) => writeSnapshot(database, snapshotDir, tasks, knobs),
  })
  if (scheduleSnapshot !== null) {
    const snapshot = { type: 'snapshotCreation', work: { kind: 'snapshot' } } as const
    setInterval(() => scheduler.register(snapshot), scheduleSnapshot * 1000)
  }
  const server = createApi(
    allRoutes({ database, scheduler, masterKey, knobs }),
    database,
    masterKey,
  )
  server.listen(options.port, options.host)
  await once(server, 'listening')
  console.error(`Database path:\t\t"${options.dbPath}"`)
  console.error(`Server listening on:\t"http://${options.host}:${options.port}"`)
  console.error(`Package version:\t"${knobs.version}" (stand-in)`)
}
