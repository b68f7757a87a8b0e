import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { HaDir } from '@meili-ha/core/ha/ha-dir.ts'
import type { Terms } from '../terms.ts'

const POLL_MS = 1000
/** A lease-keeper writes its first permit within seconds of its start. */
const MISSING_MS = 30_000

export interface SayPermitOptions {
  ha: HaDir
  terms: Terms
  log: Logger
  /** Resolves early, and doesn't reject, when `signal` aborts. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

/**
 * Says whether this member may publish, and whenever that changes: without a permit nothing is
 * published, and an uploader that waits for one that never comes would look as if it were well
 * [MEILI_HA_DIR was set for a replica's guard in the same shell].
 */
export async function sayPermit(
  { ha, terms, log, sleep = pause }: SayPermitOptions,
  signal: AbortSignal,
): Promise<void> {
  let said: number | null | undefined
  for (let waited = 0; !signal.aborted; waited += POLL_MS) {
    const epoch = (await terms.current()) ?? null
    if (epoch !== said && epoch === null) {
      log.info({ event: 'permit.none', haDir: ha.path }, 'no primary permit: nothing is published')
    } else if (epoch !== said) {
      log.info({ event: 'permit.held', epoch }, `may publish, in epoch ${epoch}`)
    }
    said = epoch
    if (waited === MISSING_MS && (await ha.readLine('permit')) === undefined) {
      log.warn(
        { event: 'permit.missing', haDir: ha.path, hint: 'Without one, give --lease none.' },
        `nothing is published: no lease-keeper gives permits in ${ha.path}`,
      )
    }
    await sleep(POLL_MS, signal)
  }
}

const pause = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => {})
