import { describe, expect, test } from 'vitest'
import {
  decide,
  DIRECTORIES,
  STORES,
  type Directory,
  type Situation,
  type StoreState,
  type Verdict,
  type Wishes,
} from './decide.ts'

const WISHES: Wishes = { lease: false, ifNone: 'start-empty', unknownData: 'fail', upgrade: false }
const short = (verdict: Verdict) => (typeof verdict === 'string' ? verdict : verdict.fail)
const decided = (situation: Partial<Situation>, wishes: Partial<Wishes> = {}) =>
  short(
    decide(
      { directory: 'absent', store: 'good', version: 'same', covered: false, ...situation },
      { ...WISHES, ...wishes },
    ),
  )

type Expected = Record<Directory, Record<StoreState, string>>

/** Without a lease, every flag at its default. A missing cell doesn't compile. */
const ALONE: Expected = {
  absent: {
    unreachable: 'wait-for-store',
    'never-initialised': 'start-empty',
    'begun-empty': 'SNAPSHOT_NONE_GOOD',
    'none-good': 'SNAPSHOT_NONE_GOOD',
    good: 'restore',
  },
  empty: {
    unreachable: 'wait-for-store',
    'never-initialised': 'start-empty',
    'begun-empty': 'SNAPSHOT_NONE_GOOD',
    'none-good': 'SNAPSHOT_NONE_GOOD',
    good: 'restore',
  },
  partial: {
    unreachable: 'wait-for-store',
    'never-initialised': 'DATA_DIR_PARTIAL',
    'begun-empty': 'DATA_DIR_PARTIAL',
    'none-good': 'DATA_DIR_PARTIAL',
    good: 'set-aside',
  },
  unmarked: {
    unreachable: 'wait-for-store',
    'never-initialised': 'adopt',
    'begun-empty': 'DATA_DIR_UNKNOWN',
    'none-good': 'DATA_DIR_UNKNOWN',
    good: 'DATA_DIR_UNKNOWN',
  },
  'unmarked-own': {
    unreachable: 'wait-for-store',
    'never-initialised': 'adopt',
    'begun-empty': 'adopt',
    'none-good': 'adopt',
    good: 'adopt',
  },
  damaged: {
    unreachable: 'wait-for-store',
    'never-initialised': 'DATA_DIR_UNKNOWN',
    'begun-empty': 'DATA_DIR_UNKNOWN',
    'none-good': 'DATA_DIR_UNKNOWN',
    good: 'DATA_DIR_UNKNOWN',
  },
  foreign: {
    unreachable: 'keep-unready',
    'never-initialised': 'WRONG_CLUSTER',
    'begun-empty': 'WRONG_CLUSTER',
    'none-good': 'WRONG_CLUSTER',
    good: 'WRONG_CLUSTER',
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

/** What a lease changes: nobody begins by himself, and a primary's first snapshot is waited for. */
const LEASED: Expected = {
  ...ALONE,
  absent: {
    ...ALONE.absent,
    'never-initialised': 'wait-for-bootstrap',
    'begun-empty': 'wait-for-bootstrap',
  },
  empty: {
    ...ALONE.empty,
    'never-initialised': 'wait-for-bootstrap',
    'begun-empty': 'wait-for-bootstrap',
  },
  unmarked: { ...ALONE.unmarked, 'never-initialised': 'wait-for-bootstrap' },
  'unmarked-own': { ...ALONE['unmarked-own'], 'never-initialised': 'wait-for-bootstrap' },
}

const cells = DIRECTORIES.flatMap((directory) => STORES.map((store) => ({ directory, store })))

describe('what is done about a data directory', () => {
  test.each(cells)('$directory, store $store, without a lease', ({ directory, store }) => {
    expect(decided({ directory, store })).toBe(ALONE[directory][store])
  })

  test.each(cells)('$directory, store $store, with a lease', ({ directory, store }) => {
    expect(decided({ directory, store }, { lease: true })).toBe(LEASED[directory][store])
  })

  test('a person may forbid to start empty', () => {
    expect(decided({ store: 'never-initialised' }, { ifNone: 'fail' })).toBe('NOT_BOOTSTRAPPED')
  })

  test.each(['unmarked', 'damaged'] as const)('a person may keep or set aside: %s', (directory) => {
    for (const store of STORES) {
      if (store === 'never-initialised' && directory === 'unmarked') continue
      expect(decided({ directory, store }, { unknownData: 'keep' })).toBe('keep-unmarked')
    }
    expect(decided({ directory }, { unknownData: 'set-aside' })).toBe('set-aside')
  })

  test('set-aside never leaves a member with nothing', () => {
    for (const store of STORES.filter((state) => state !== 'good')) {
      for (const directory of DIRECTORIES) {
        expect(decided({ directory, store }, { unknownData: 'set-aside' })).not.toBe('set-aside')
      }
    }
  })
})

describe('another version than the engine', () => {
  test('what never took writes is restored again', () => {
    expect(decided({ directory: 'pristine', version: 'older' })).toBe('restore')
    expect(decided({ directory: 'pristine', version: 'newer' })).toBe('restore')
  })

  test('what took writes is upgraded only when asked, and covered', () => {
    const older = { directory: 'leading', version: 'older' } as const
    expect(decided(older)).toBe('VERSION_TOO_OLD')
    expect(decided(older, { upgrade: true })).toBe('VERSION_TOO_OLD')
    expect(decided({ ...older, covered: true })).toBe('VERSION_TOO_OLD')
    expect(decided({ ...older, covered: true }, { upgrade: true })).toBe('upgrade')
  })

  test('is never downgraded', () => {
    for (const directory of ['leading', 'unmarked-own'] as const) {
      const newer = { directory, version: 'newer', covered: true } as const
      expect(decided(newer, { upgrade: true })).toBe('VERSION_TOO_NEW')
    }
  })

  test('is judged once the store answers: until then Meilisearch would only refuse it', () => {
    for (const directory of ['leading', 'pristine', 'overtaken'] as const) {
      for (const version of ['older', 'newer'] as const) {
        expect(decided({ directory, store: 'unreachable', version })).toBe('wait-for-store')
      }
    }
  })

  test('is no reason to keep what is set aside anyway', () => {
    expect(decided({ directory: 'overtaken', version: 'older' })).toBe('set-aside')
  })
})
