/** What a test can make the stand-in do, through STAND_IN_* variables; a real one ignores them. */
export interface Knobs {
  /** Another engine version than 1.50.0. */
  version: string
  /** SIGTERM is ignored; only SIGKILL ends it. */
  ignoreSigterm: boolean
  /** /health never answers while a file of this name exists. */
  hangHealthWhile: string | undefined
  /** Milliseconds before each entry of an import. */
  importEntryMs: number
  /** Milliseconds that each batch takes. */
  batchMs: number
  /** Milliseconds that writing the tarball takes, half of it already there. */
  snapshotMs: number
  /** Milliseconds between the tarball's rename and the end of its task. */
  snapshotLingerMs: number
  /** Milliseconds after which it exits with 1, again and again. */
  crashAfterMs: number | undefined
}

export function readKnobs(env: Readonly<Record<string, string | undefined>>): Knobs {
  const ms = (name: string) => Number(env[`STAND_IN_${name}`] ?? 0)
  return {
    version: env['STAND_IN_VERSION'] ?? '1.50.0',
    ignoreSigterm: env['STAND_IN_IGNORE_SIGTERM'] !== undefined,
    hangHealthWhile: env['STAND_IN_HANG_HEALTH_WHILE'],
    importEntryMs: ms('IMPORT_ENTRY_MS'),
    batchMs: ms('BATCH_MS'),
    snapshotMs: ms('SNAPSHOT_MS'),
    snapshotLingerMs: ms('SNAPSHOT_LINGER_MS'),
    crashAfterMs: env['STAND_IN_CRASH_AFTER_MS'] === undefined ? undefined : ms('CRASH_AFTER_MS'),
  }
}
