import { manifestKey } from '@meili-ha/core/catalog/names.ts'
import type { Directory, StoreState } from '../decide.ts'

/** What decides whether a member may be promoted. */
export interface Fitness {
  decided: boolean
  /** Why it isn't decided. */
  waitingFor: string | null
  directory: Directory
  store: StoreState
  /** Epochs in which the directory took writes. */
  primaryIn: readonly number[]
  /** Of the lease record, as `want` or the permit says; null = not known. */
  recordEpoch: number | null
  /** What keeps the store from having anything good: see blockedBy of Member. */
  blockedBy: string | null
  /** The newest snapshot doesn't fit this member's engine, or disk. */
  misfit: string | null
  /** Somebody wrote to this standby. */
  foreignTask: number | null
  /** What the authenticated call said: null = fine, or no key is given. */
  keyTrouble: string | null
}

/** Why a member may not be promoted, as a sentence's end; null = it may. */
export function whyNotReady(fitness: Fitness): string | null {
  const { decided, waitingFor, directory, store, primaryIn, recordEpoch } = fitness
  if (!decided) return waitingFor ?? 'nothing is decided about the data directory yet'
  if (directory === 'unmarked' || directory === 'damaged') {
    return 'it keeps data that meili-ha knows nothing about'
  }
  if (fitness.foreignTask !== null) {
    return `task ${fitness.foreignTask} was written to this standby, and exists nowhere else`
  }
  if (fitness.keyTrouble !== null) return fitness.keyTrouble
  const empty = store === 'never-initialised' || store === 'none-good'
  if (store === 'unreachable' || (empty && directory !== 'leading')) {
    const led = recordEpoch !== null && primaryIn.includes(recordEpoch)
    if (led) return null
    return store === 'unreachable' ? 'the store does not answer' : nothingGood(fitness)
  }
  return fitness.misfit
}

function nothingGood({ blockedBy }: Fitness): string {
  const nothing = 'the store holds nothing good'
  if (blockedBy === null) return nothing
  return `${nothing}: ${blockedBy} can't be restored, and its writer may hold what it held; start that member, or remove ${manifestKey(blockedBy)} from the store to do without`
}
