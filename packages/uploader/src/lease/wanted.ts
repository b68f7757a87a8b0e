import { setTimeout as sleep } from 'node:timers/promises'
import { MeiliHaError } from '@meili-ha/core/errors.ts'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import { formatWant, type Want } from '@meili-ha/core/ha/want.ts'

const POLL_MS = 250

/** @throws NOT_PERMITTED when the keeper doesn't want it (any more) */
export async function assertWanted(ha: HaDir, want: Want): Promise<void> {
  if (await isWanted(ha, want)) return
  throw new MeiliHaError('NOT_PERMITTED', `${formatWant(want)} isn't wanted any more`)
}

/**
 * Does long work for as long as the keeper wants it: one that gave a hand-over up mustn't wait for
 * gigabytes that nobody needs before it can promote again.
 * @param work ends soon after its signal aborts
 * @throws NOT_PERMITTED when it was withdrawn; what `work` throws otherwise
 */
export async function whileWanted<T>(
  ha: HaDir,
  want: Want,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const withdrawn = new AbortController()
  const done = new AbortController()
  const watch = async () => {
    while (!done.signal.aborted) {
      if (!(await isWanted(ha, want))) return withdrawn.abort()
      await sleep(POLL_MS, undefined, { signal: done.signal })
    }
  }
  watch().catch(() => {})
  try {
    return await work(AbortSignal.any([signal, withdrawn.signal]))
  } catch (error) {
    if (withdrawn.signal.aborted) await assertWanted(ha, want)
    throw error
  } finally {
    done.abort()
  }
}

async function isWanted(ha: HaDir, want: Want): Promise<boolean> {
  return (await ha.readLine('want')) === formatWant(want)
}
