/** The part of Meilisearch's settings that the stand-in understands. */
export interface Options {
  dbPath: string
  host: string
  port: number
  masterKey: string | undefined
  env: string
  snapshotDir: string
  /** Seconds between snapshots; null = off. */
  scheduleSnapshot: number | null
  importSnapshot: string | undefined
  ignoreMissingSnapshot: boolean
  ignoreSnapshotIfDbExists: boolean
  /** All MEILI_S3_* are set: in the Community Edition, every snapshot then fails. */
  s3Snapshots: boolean
}

/** What clap does with a command line it doesn't like: a message on stderr and exit code 2. */
export class UsageError extends Error {}

type Env = Readonly<Record<string, string | undefined>>

const FLAGS: Record<string, 'value' | 'optional' | 'switch'> = {
  'db-path': 'value',
  'http-addr': 'value',
  'master-key': 'value',
  env: 'value',
  'snapshot-dir': 'value',
  'schedule-snapshot': 'optional',
  'import-snapshot': 'value',
  'ignore-missing-snapshot': 'switch',
  'ignore-snapshot-if-db-exists': 'switch',
  'no-analytics': 'switch',
  'log-level': 'value',
  'dump-dir': 'value',
}

const S3 = ['bucket-url', 'bucket-region', 'bucket-name', 'snapshot-prefix', 'access-key']

/** Flag over environment over default, as Meilisearch has it. */
export function parseOptions(args: readonly string[], env: Env): Options {
  const given = { ...fromEnv(env), ...fromArgs(args) }
  const address = /^(.*):(\d+)$/.exec(given['http-addr'] ?? 'localhost:7700')
  if (!address) throw usage(`invalid value for '--http-addr <HTTP_ADDR>'`)
  const stage = given['env'] ?? 'development'
  if (!['development', 'production'].includes(stage)) {
    throw usage(
      `invalid value '${stage}' for '--env <ENV>'\n  [possible values: development, production]`,
    )
  }
  const importSnapshot = given['import-snapshot']
  const ignores = ['ignore-missing-snapshot', 'ignore-snapshot-if-db-exists'] as const
  if (importSnapshot === undefined && ignores.some((name) => given[name] === 'true')) {
    throw missing(['--import-snapshot <IMPORT_SNAPSHOT>'])
  }
  return {
    dbPath: given['db-path'] ?? './data.ms',
    host: address[1] as string,
    port: Number(address[2]),
    masterKey: given['master-key'] || undefined,
    env: stage,
    snapshotDir: given['snapshot-dir'] ?? 'snapshots/',
    scheduleSnapshot: schedule(given['schedule-snapshot']),
    importSnapshot,
    ignoreMissingSnapshot: given['ignore-missing-snapshot'] === 'true',
    ignoreSnapshotIfDbExists: given['ignore-snapshot-if-db-exists'] === 'true',
    s3Snapshots: s3Snapshots(env),
  }
}

function fromArgs(args: readonly string[]): Record<string, string> {
  const given: Record<string, string> = {}
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string
    const [, name = '', , inline] = /^--([a-z0-9-]+)(=(.*))?$/s.exec(arg) ?? []
    const kind = FLAGS[name]
    if (kind === undefined) {
      throw usage(`unexpected argument '${arg}' found\n\nUsage: meilisearch [OPTIONS]`)
    }
    const next = args[index + 1]
    if (kind === 'switch') given[name] = 'true'
    else if (inline !== undefined) given[name] = inline
    else if (next !== undefined && (kind === 'value' || /^\d+$/.test(next))) {
      given[name] = next
      index++
    } else if (kind === 'optional') given[name] = 'true'
    else throw usage(`a value is required for '--${name}' but none was supplied`)
  }
  return given
}

function fromEnv(env: Env): Record<string, string> {
  const given: Record<string, string> = {}
  for (const [name, kind] of Object.entries(FLAGS)) {
    const value = env[`MEILI_${name.replaceAll('-', '_').toUpperCase()}`]
    // A switch is off when its variable says so; other variables count even when empty.
    if (kind === 'switch') given[name] = String(/^(1|t|true|y|yes|on)$/i.test(value ?? ''))
    else if (value !== undefined) given[name] = value
  }
  return given
}

/** "" and absent are off, bare is a day. */
function schedule(value: string | undefined): number | null {
  if (value === undefined || value === '' || value === 'false') return null
  if (value === 'true') return 86_400
  if (/^\d+$/.test(value)) return Number(value)
  const flag = '--schedule-snapshot [<SNAPSHOT_INTERVAL_SEC>]'
  throw usage(`invalid value '${value}' for '${flag}': invalid digit found in string`)
}

function s3Snapshots(env: Env): boolean {
  const lacking = S3.filter((name) => !env[`MEILI_S3_${name.replace('-', '_').toUpperCase()}`])
  if (lacking.length === S3.length) return false
  if (lacking.length > 0) throw missing(lacking.map((name) => `--s3-${name}`))
  return true
}

function missing(names: readonly string[]): UsageError {
  return usage(
    ['the following required arguments were not provided:', ...names.map((n) => `  ${n}`)].join(
      '\n',
    ),
  )
}

function usage(what: string): UsageError {
  return new UsageError(`error: ${what}\n\nFor more information, try '--help'.`)
}
