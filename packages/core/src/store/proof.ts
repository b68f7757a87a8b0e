import { isError, type MeiliHaError, messageOf } from '../errors.ts'

/** One line of what `uploader check` prints. */
export interface ProofRow {
  name: string
  result: 'ok' | 'failed' | 'skipped'
  /** What was seen, where it isn't ok. */
  detail?: string
  /** What helps, where it isn't ok. */
  hint?: string
  /** The store could not be asked: nothing is proved either way. */
  unreachable?: true
}

/** One property to prove. `run` throws when it doesn't hold. */
export interface Proof {
  name: string
  hint: string
  run: () => Promise<void>
}

/** The store answered, and the answer is wrong. */
export class ProofFailed extends Error {}

/** Why a proof could not be tried: not a failure. */
export class ProofSkipped extends Error {}

/**
 * Runs proofs one after the other. A failed one doesn't keep the next from running, unless there is
 * no store at all: then each would wait through all its retries to say the same.
 */
export async function prove(proofs: Proof[]): Promise<ProofRow[]> {
  const rows: ProofRow[] = []
  let absent = false
  for (const { name, hint, run } of proofs) {
    if (absent) {
      rows.push({ name, result: 'skipped', detail: 'the store cannot be reached' })
      continue
    }
    try {
      await run()
      rows.push({ name, result: 'ok' })
    } catch (error) {
      absent = isError(error, 'STORE_UNREACHABLE', 'STORE_NO_BUCKET')
      const result = error instanceof ProofSkipped ? 'skipped' : 'failed'
      const helps = absent ? (error as MeiliHaError).hint : hint
      const unreachable = absent && { unreachable: true as const }
      rows.push({ name, result, detail: messageOf(error), hint: helps, ...unreachable })
    }
  }
  return rows
}
