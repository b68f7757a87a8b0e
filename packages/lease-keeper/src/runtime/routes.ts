import { parseDuration } from '@meili-ha/core/cli/units.ts'
import { lagNow } from '@meili-ha/core/ha/lag-now.ts'
import type { Answer } from '@meili-ha/core/telemetry/server.ts'
import { servesAsPrimary, servesAsStandby } from '../serves.ts'
import type { Keeper } from './keeper.ts'
import { statementOf } from './statement-of.ts'

/**
 * What routers and people ask, with Patroni's meanings: 200 = send me those requests, 503 = don't.
 * `/replica?lag=60s` wants a standby that is at most so far behind.
 */
export function keeperRoutes(keeper: Keeper): Record<string, (url: URL) => Answer> {
  const isPrimary = () => servesAsPrimary(keeper.settings, keeper.state, keeper.now.boot)
  const replica = (url: URL) =>
    servesAsStandby(keeper.state) ? lagAnswer(keeper, url) : no('no standby that serves')
  return {
    '/primary': () => (isPrimary() ? yes : no('not the primary')),
    '/replica': replica,
    '/standby': replica,
    '/read-only': (url) => (isPrimary() ? yes : replica(url)),
    '/health': () =>
      keeper.state.health?.healthy && keeper.state.beat?.state === 'running'
        ? yes
        : no('Meilisearch does not run or is not healthy'),
    // Of the keeper itself: up, never "lease held". A waiting member is healthy.
    '/healthz': () => yes,
    // Its data is whole, or nobody has published any yet: a roll-out may go on.
    '/readyz': () => {
      const { phase, sync } = keeper.state
      const waits = sync !== null && !sync.decided && sync.waitsForFirst === true
      return phase.name !== 'starting' || waits
        ? yes
        : no(sync?.reason ?? 'it has only just started')
    },
    '/status': () => ({ status: 200, body: { program: 'lease-keeper', ...statementOf(keeper) } }),
  }
}

const yes: Answer = { status: 200, body: 'ok' }
const no = (why: string): Answer => ({ status: 503, body: why })

function lagAnswer(keeper: Keeper, url: URL): Answer {
  const most = url.searchParams.get('lag')
  if (most === null) return yes
  const { sync } = keeper.state
  const lagSeconds = sync && lagNow(sync, keeper.now.boot)
  if (lagSeconds === null) return no('its lag is not known')
  try {
    return lagSeconds * 1000 <= parseDuration(most)
      ? yes
      : no(`it is ${Math.round(lagSeconds)} s behind`)
  } catch {
    return { status: 400, body: 'lag: expected a duration such as 60s' }
  }
}
