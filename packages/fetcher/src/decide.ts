import type { ErrorCode } from '@meili-ha/core/errors.ts'

/** The data directory, seen against what the store says. */
export const DIRECTORIES = [
  'absent',
  /** Nothing in it (or only `lost+found`). */
  'empty',
  /** Some of a database: never to be started on. */
  'partial',
  /** Whole, without a lineage. */
  'unmarked',
  /** The same, and all that the store holds was published by this member from such a directory. */
  'unmarked-own',
  /** Whole, with a lineage that can't be read. */
  'damaged',
  /** Its lineage names another cluster than the store. */
  'foreign',
  /** Never took writes: may be replaced freely. */
  'pristine',
  /** Took writes, or was claimed from, in an epoch that nobody has followed: never replaced. */
  'leading',
  /** Took writes in an epoch that others have followed. */
  'overtaken',
] as const
export type Directory = (typeof DIRECTORIES)[number]

export const STORES = [
  'unreachable',
  'never-initialised',
  /** Its history began empty and nothing was published since. */
  'begun-empty',
  'none-good',
  'good',
] as const
export type StoreState = (typeof STORES)[number]

export interface Situation {
  directory: Directory
  store: StoreState
  /** The directory's VERSION against the engine; `unknown` also where there is nothing to compare. */
  version: 'same' | 'older' | 'newer' | 'unknown'
  /** The newest good snapshot was published from this very directory. */
  covered: boolean
}

export interface Wishes {
  /** A lease-keeper decides who leads, so nobody starts empty or adopts by himself. */
  lease: boolean
  ifNone: 'start-empty' | 'fail'
  unknownData: 'fail' | 'keep' | 'set-aside'
  upgrade: boolean
}

export type Verdict =
  /** Take the newest good snapshot; what lies there is worth nothing, or is published anyway. */
  | 'restore'
  /** Take it too, but keep what lies there under another name until a person removes it. */
  | 'set-aside'
  | 'keep'
  /** Keep, and don't stand for promotion unless it led in the last epoch. */
  | 'keep-unready'
  /** Keep without a lineage, because a person said so; neither followed nor promoted. */
  | 'keep-unmarked'
  /** Keep, and say in its VERSION that the engine may upgrade it. */
  | 'upgrade'
  /** Give it a lineage: it is this cluster's. */
  | 'adopt'
  | 'start-empty'
  /** Until the lease-keeper asks this member to begin, or another member has. */
  | 'wait-for-bootstrap'
  | 'wait-for-store'
  | { fail: ErrorCode; because: string; hint?: string }

type Rule = Verdict | ((wishes: Wishes) => Verdict)

/** What to do about a data directory: the table of the design's section 6. */
export function decide(situation: Situation, wishes: Wishes): Verdict {
  const rule = TABLE[situation.directory][situation.store]
  const verdict = typeof rule === 'function' ? rule(wishes) : rule
  const opens = verdict === 'keep' || verdict === 'keep-unready' || verdict === 'adopt'
  return opens ? atVersion(verdict, situation, wishes) : verdict
}

/** Meilisearch refuses a directory of another version than its own: better said before it starts. */
function atVersion(verdict: Verdict, situation: Situation, wishes: Wishes): Verdict {
  const { version, directory, store, covered } = situation
  if (version === 'same' || version === 'unknown') return verdict
  // Opened now it would serve nobody, and nothing would judge it again once the store answers.
  if (store === 'unreachable') return 'wait-for-store'
  if (directory === 'pristine' && store === 'good') return 'restore'
  if (version === 'newer') {
    return { fail: 'VERSION_TOO_NEW', because: 'the data directory is of a newer Meilisearch' }
  }
  if (!covered) {
    return {
      fail: 'VERSION_TOO_OLD',
      because: 'the data directory is of an older Meilisearch, and no published snapshot covers it',
      hint: 'Start it with its own version once more, publish a snapshot, then upgrade with --upgrade.',
    }
  }
  if (wishes.upgrade) return 'upgrade'
  return {
    fail: 'VERSION_TOO_OLD',
    because: 'the data directory is of an older Meilisearch, and has taken writes',
    hint: 'A published snapshot covers it: let this Meilisearch upgrade it with --upgrade.',
  }
}

const NONE_GOOD: Verdict = {
  fail: 'SNAPSHOT_NONE_GOOD',
  because: 'the store is in use, but holds no snapshot that may be taken',
}
const PARTIAL: Verdict = {
  fail: 'DATA_DIR_PARTIAL',
  because: 'the data directory is incomplete, and the store holds nothing to replace it with',
}
const FOREIGN: Verdict = {
  fail: 'WRONG_CLUSTER',
  because: 'the data directory and the store belong to different clusters',
}

const begin: Rule = ({ lease, ifNone }) => {
  if (lease) return 'wait-for-bootstrap'
  if (ifNone === 'start-empty') return 'start-empty'
  return { fail: 'NOT_BOOTSTRAPPED', because: 'the store has never been used' }
}
const adoptUnlessLease: Rule = ({ lease }) => (lease ? 'wait-for-bootstrap' : 'adopt')
/** With a lease somebody is the primary, and its first snapshot comes. */
const waitForFirst: Rule = ({ lease }) => (lease ? 'wait-for-bootstrap' : NONE_GOOD)

/** Whose data that is, nobody can tell; a person chooses. */
function unknown(setAside: Verdict): Rule {
  return ({ unknownData }) => {
    if (unknownData === 'keep') return 'keep-unmarked'
    if (unknownData === 'set-aside') return setAside
    return {
      fail: 'DATA_DIR_UNKNOWN',
      because: 'there is a data directory that meili-ha knows nothing about',
    }
  }
}
/** An unreachable store may yet tell that it is our own. */
const unknownUntilReached: Rule = ({ unknownData }) =>
  unknownData === 'keep' ? 'keep-unmarked' : 'wait-for-store'

const TABLE: Record<Directory, Record<StoreState, Rule>> = {
  absent: {
    unreachable: 'wait-for-store',
    'never-initialised': begin,
    'begun-empty': waitForFirst,
    'none-good': NONE_GOOD,
    good: 'restore',
  },
  empty: {
    unreachable: 'wait-for-store',
    'never-initialised': begin,
    'begun-empty': waitForFirst,
    'none-good': NONE_GOOD,
    good: 'restore',
  },
  partial: {
    unreachable: 'wait-for-store',
    'never-initialised': PARTIAL,
    'begun-empty': PARTIAL,
    'none-good': PARTIAL,
    good: 'set-aside',
  },
  unmarked: {
    unreachable: unknownUntilReached,
    'never-initialised': adoptUnlessLease,
    'begun-empty': unknown(NONE_GOOD),
    'none-good': unknown(NONE_GOOD),
    good: unknown('set-aside'),
  },
  'unmarked-own': {
    unreachable: unknownUntilReached,
    'never-initialised': adoptUnlessLease,
    'begun-empty': 'adopt',
    'none-good': 'adopt',
    good: 'adopt',
  },
  damaged: {
    unreachable: unknownUntilReached,
    'never-initialised': unknown(NONE_GOOD),
    'begun-empty': unknown(NONE_GOOD),
    'none-good': unknown(NONE_GOOD),
    good: unknown('set-aside'),
  },
  foreign: {
    unreachable: 'keep-unready',
    'never-initialised': FOREIGN,
    'begun-empty': FOREIGN,
    'none-good': FOREIGN,
    good: FOREIGN,
  },
  pristine: {
    unreachable: 'keep-unready',
    'never-initialised': 'keep-unready',
    'begun-empty': 'keep-unready',
    'none-good': 'keep-unready',
    good: 'keep',
  },
  leading: {
    unreachable: 'keep-unready',
    'never-initialised': 'keep',
    'begun-empty': 'keep',
    'none-good': 'keep',
    good: 'keep',
  },
  overtaken: {
    unreachable: 'keep-unready',
    'never-initialised': 'keep-unready',
    'begun-empty': 'keep-unready',
    'none-good': 'keep-unready',
    good: 'set-aside',
  },
}
