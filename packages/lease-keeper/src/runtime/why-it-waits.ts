import { whyNotStanding } from '../candidacy.ts'
import type { Now } from '../event.ts'
import { RULES } from '../rules.ts'
import type { Settings } from '../settings.ts'
import type { KeeperState } from '../state.ts'

/**
 * Why a standby doesn't lead now, for people; null = it is on its way, or nothing waits. A request
 * under way is no reason: it comes and goes with every renewal.
 */
export function whyItWaits(settings: Settings, state: KeeperState, now: Now): string | null {
  if (state.phase.name !== 'standby' || settings.lease !== 'shared') return null
  const lease = { ...state.lease, inFlight: null, stale: false }
  return whyNotStanding({
    settings,
    rules: RULES,
    now,
    state: { ...state, lease },
    actions: [],
  })
}
