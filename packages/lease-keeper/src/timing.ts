import { MeiliHaError } from '@meili-ha/core/errors.ts'

/** Every time of a lease, in centiseconds of boot time, all measured from the *sending* of the last renewal. */
export interface Timing {
  /** L: how long a record must be seen unchanged before anyone else may take it. */
  takeover: number
  renewEvery: number
  /** One request, body included. */
  requestTimeout: number
  /** The guard sends SIGTERM; from here on the lease counts as lost. */
  termAt: number
  /** The guard sends SIGKILL. */
  killAt: number
  /** A guard's beat older than this, or a guard's clock further off, gets no permit. */
  beatLimit: number
}

/** The guard looks four times a second (docker/guard.sh). */
export const GUARD_TICK = 25

/** How much faster one machine's boot clock may run than another's: far beyond any real crystal. */
export const CLOCK_RATE_TOLERANCE = 1.25

const SHORTEST_MS = 5_000
/** Beyond this the guard's own limit on permits (MEILI_HA_MAX_PERMIT, 300 s) would be passed. */
const LONGEST_MS = 300_000

/**
 * All times follow from `--lease-duration`: at 15 s renew every 2 s, request 2 s, term 9 s, kill 12 s.
 * @throws USAGE when the duration is outside 5 s to 5 min
 */
export function timingFor(leaseMs: number): Timing {
  if (!(leaseMs >= SHORTEST_MS && leaseMs <= LONGEST_MS)) {
    throw new MeiliHaError('USAGE', `--lease-duration must be 5s to 5m, not ${leaseMs / 1000}s`)
  }
  const takeover = Math.ceil(leaseMs / 10)
  const timing = {
    takeover,
    renewEvery: Math.floor((takeover * 2) / 15),
    requestTimeout: Math.floor((takeover * 2) / 15),
    termAt: Math.floor((takeover * 9) / 15),
    killAt: Math.floor((takeover * 12) / 15),
    beatLimit: Math.floor(takeover / 10),
  }
  checkTiming(timing)
  return timing
}

/**
 * The relations that safety rests on; each message names what would go wrong.
 * @throws USAGE for the first that doesn't hold
 */
export function checkTiming(timing: Timing): void {
  const { takeover, renewEvery, requestTimeout, termAt, killAt, beatLimit } = timing
  const relations: [boolean, string][] = [
    [
      killAt * CLOCK_RATE_TOLERANCE <= takeover,
      'another member with a faster clock could lead before this one is killed',
    ],
    [termAt + 2 * GUARD_TICK <= killAt, 'Meilisearch would have no time to stop by itself'],
    [renewEvery + 2 * requestTimeout + GUARD_TICK <= termAt, 'one lost request would end the term'],
    [beatLimit >= 2 * GUARD_TICK, 'a healthy guard would seem silent'],
    [
      beatLimit + renewEvery + requestTimeout < termAt,
      'a guard at the limit would never hold a permit',
    ],
  ]
  const broken = relations.find(([holds]) => !holds)
  if (broken) throw new MeiliHaError('USAGE', `lease times don't fit together: ${broken[1]}`)
}
