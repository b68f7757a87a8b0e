/**
 * One flat table of everything that can go wrong and that a person can act on.
 * `exit` is the process's exit code: 1 failed, 2 usage, 10 store unreachable or the named
 * thing missing, 20 a person must look. `hint` names the flag or command that helps.
 */
export const ERRORS = {
  USAGE: { exit: 2, hint: 'See --help.' },
  INTERNAL: {
    exit: 1,
    hint: 'This is a bug in meili-ha; please report it with the log.',
  },
  CANCELLED: { exit: 1, hint: 'It was told to stop; start it again, nothing is lost.' },

  STORE_UNREACHABLE: {
    exit: 10,
    hint: 'Check --store and AWS_ENDPOINT_URL_S3, then run `uploader check`.',
  },
  STORE_DENIED: {
    exit: 10,
    hint: 'Check the credentials and the bucket policy; `uploader check` names the missing permission.',
  },
  STORE_NO_BUCKET: {
    exit: 10,
    hint: 'Create the bucket (or directory) first, or correct --store.',
  },
  STORE_NOT_FOUND: {
    exit: 10,
    hint: 'It may have been pruned; `fetcher list` shows what is there.',
  },
  STORE_CONFLICT: { exit: 1, hint: 'Somebody else wrote the same object first.' },
  STORE_CHECKSUM: {
    exit: 1,
    hint: 'What arrived is not what was sent: the network or the store damages data.',
  },
  STORE_REFUSED: {
    exit: 1,
    hint: 'The store refused the request for good; `uploader check` shows more.',
  },

  MANIFEST_INVALID: {
    exit: 20,
    hint: '`fetcher list` marks it; remove the object by hand if nobody needs it.',
  },
  MANIFEST_NEWER_FORMAT: { exit: 20, hint: 'Upgrade meili-ha on this member first.' },
  SNAPSHOT_DAMAGED: {
    exit: 1,
    hint: '`fetcher verify --all` tells which snapshots are good.',
  },
  SNAPSHOT_FOREIGN: {
    exit: 1,
    hint: 'Not something Meilisearch writes with POST /snapshots; nothing was published.',
  },
  SNAPSHOT_UNSAFE: {
    exit: 20,
    hint: 'The archive holds entries that no Meilisearch snapshot has; find out who wrote it.',
  },
  SNAPSHOT_NONE: { exit: 10, hint: 'Publish one with `uploader publish` or `uploader snapshot`.' },
  SNAPSHOT_NONE_GOOD: {
    exit: 20,
    hint: '`fetcher list` and `fetcher verify --all` show what is there.',
  },
  WRONG_CLUSTER: {
    exit: 20,
    hint: 'Two clusters must not share a prefix: correct --store, or use an empty directory.',
  },
  SECOND_WRITER: {
    exit: 20,
    hint: 'Give each Meilisearch its own --store prefix, or run lease-keeper so that one leads.',
  },
  CLAIM_MISSING: {
    exit: 20,
    hint: 'Was the bucket emptied? `lease-keeper switchover` begins a new epoch with all that this member holds.',
  },
  SUPERSEDED: {
    exit: 20,
    hint: 'A later epoch exists: this member no longer leads. Restart it to rejoin.',
  },

  DATA_DIR_PARTIAL: {
    exit: 20,
    hint: 'Never start Meilisearch on it. Publish a snapshot, or move the directory away.',
  },
  DATA_DIR_UNKNOWN: {
    exit: 20,
    hint: 'Choose with --unknown-data keep (trust it) or --unknown-data set-aside (restore beside it).',
  },
  STANDBY_WRITTEN: {
    exit: 20,
    hint: 'Point writers at the primary alone; what was written is kept, `fetcher discard` shows it after the next swap.',
  },
  DATA_DIR_PERMISSION: {
    exit: 1,
    hint: 'Run as the uid that Meilisearch runs as (`check` says which).',
  },
  DATA_DIR_IN_USE: {
    exit: 1,
    hint: 'Stop Meilisearch, or the other fetcher, first; `fetcher follow` is one as long as it runs.',
  },
  DISK_FULL: {
    exit: 1,
    hint: 'Enlarge the volume; `fetcher discard` removes what was set aside.',
  },
  VERSION_TOO_NEW: {
    exit: 20,
    hint: 'Upgrade this member to the version named, then try again.',
  },
  VERSION_TOO_OLD: {
    exit: 20,
    hint: 'Meilisearch upgrades from 1.13 on; restore it with its own version and use a dump.',
  },
  NOT_BOOTSTRAPPED: {
    exit: 10,
    hint: 'The store is new: publish a first snapshot, or use --if-none start-empty.',
  },
  TIMEOUT: { exit: 1, hint: 'Raise --timeout, or look at the log for what it waited for.' },

  MEILI_UNREACHABLE: { exit: 1, hint: 'Is Meilisearch running at --meili-url?' },
  MEILI_DENIED: {
    exit: 1,
    hint: 'Give a key with --api-key-file (actions snapshots.create and tasks.get, indexes *).',
  },
  MEILI_FAILED: { exit: 1, hint: 'Look at the Meilisearch log.' },
  MEILI_ENTERPRISE: {
    exit: 20,
    hint: 'Remove every MEILI_S3_* setting from Meilisearch: they need the Enterprise Edition; meili-ha does this job.',
  },

  CHECK_FAILED: { exit: 1, hint: 'Each failed row has its own hint.' },
  ANNOTATE_FAILED: {
    exit: 1,
    hint: 'No snapshot was asked for. Run the command by hand; it must print at most 64 KiB and end within 30 s.',
  },
  NOT_PERMITTED: {
    exit: 1,
    hint: 'This member holds no primary permit; `lease-keeper status` shows who does.',
  },
  GUARD_SILENT: {
    exit: 1,
    hint: 'Is Meilisearch started through guard.sh, and is --ha-dir shared between the containers?',
  },
  LEASE_UNUSABLE: {
    exit: 20,
    hint: '`lease-keeper check` shows which property is missing.',
  },
  REQUEST_FAILED: {
    exit: 1,
    hint: '`lease-keeper status` shows which member is ready, and why the others are not.',
  },
  LEASE_UNREACHABLE: {
    exit: 10,
    hint: 'Is the API server or store reachable from here? `lease-keeper check` tells.',
  },
} as const satisfies Record<string, { exit: 1 | 2 | 10 | 20; hint: string }>

export type ErrorCode = keyof typeof ERRORS

export interface MeiliHaErrorOptions {
  cause?: unknown
  /** Replaces the table's hint where the thrower knows better. */
  hint?: string
  /** The other side's own code (`SlowDown`, `AccessDenied`, `ENOSPC`), kept as it came. */
  remoteCode?: string
}

/** An error with a code of the table, one sentence for the person and a hint. Never holds a secret. */
export class MeiliHaError extends Error {
  readonly code: `MEILI_HA_${ErrorCode}`
  readonly exitCode: 1 | 2 | 10 | 20
  readonly hint: string
  readonly remoteCode: string | undefined

  constructor(code: ErrorCode, message: string, options: MeiliHaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'MeiliHaError'
    this.code = `MEILI_HA_${code}`
    this.exitCode = ERRORS[code].exit
    this.hint = options.hint ?? ERRORS[code].hint
    this.remoteCode = options.remoteCode
  }
}

/** True when `error` is ours and carries one of `codes` (any code, when none is named). */
export function isError(error: unknown, ...codes: ErrorCode[]): error is MeiliHaError {
  if (!(error instanceof MeiliHaError)) return false
  return codes.length === 0 || codes.some((code) => error.code === `MEILI_HA_${code}`)
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
